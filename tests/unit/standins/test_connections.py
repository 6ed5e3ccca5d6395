"""What goes wrong below HTTP's meaning: silence, drips, darkness, resets; and TLS with a certificate of one's own."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.standins.databento import DATASET_RANGE, DatabentoStandIn, historical
from tests.standins.faults import Fault
from tests.standins.made import bars_around_a_roll
from tests.standins.polygon import PolygonStandIn

BARS = bars_around_a_roll()


@pytest.fixture
def vendor() -> Iterator[DatabentoStandIn]:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        yield vendor


def port_of(vendor: DatabentoStandIn) -> int:
    return int(vendor.url.rpartition(":")[2])


def ask(vendor: DatabentoStandIn, timeout_s: float = 5) -> requests.Response:
    query = {"dataset": "GLBX.MDP3"}
    return requests.get(f"{vendor.url}/v0/{DATASET_RANGE}", query, auth=(vendor.key, ""), timeout=timeout_s)


def test_silence_lasts_until_the_client_gives_up(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.SILENCE)
    with pytest.raises(requests.ReadTimeout):
        ask(vendor, 0.2)
    assert vendor.calls[0].status is None
    assert ask(vendor).status_code == 200


def test_silence_ends_with_the_stand_in() -> None:
    with ThreadPoolExecutor(1) as pool, DatabentoStandIn() as vendor:
        vendor.script(Fault.SILENCE)
        asking = pool.submit(ask, vendor, 60)
        vendor.wait_for_calls(1)
    with pytest.raises(requests.ConnectionError):
        asking.result(timeout=10)


@pytest.mark.parametrize("fault", [Fault.DRIP_HEAD, Fault.DRIP_BODY])
def test_a_dripping_answer_arrives_byte_by_byte_and_whole(vendor: DatabentoStandIn, fault: Fault) -> None:
    vendor.drip_s = 0
    vendor.script(fault)
    assert ask(vendor).json()["end"] == vendor.available_end


@pytest.mark.parametrize("fault", [Fault.DRIP_HEAD, Fault.DRIP_BODY])
def test_a_dripping_answer_never_times_out_for_a_client_that_waits_for_bytes(
    vendor: DatabentoStandIn, fault: Fault
) -> None:
    vendor.drip_s = 0.01  # some 200 bytes or more: two seconds in all, and never one without a byte
    vendor.script(fault)
    assert ask(vendor, 1).status_code == 200


def test_in_darkness_no_connection_is_made_and_after_it_all_is_as_before(vendor: DatabentoStandIn) -> None:
    assert ask(vendor).status_code == 200
    vendor.script(Fault.BLACKHOLE)
    for _ in range(2):
        with pytest.raises(requests.ConnectTimeout):
            ask(vendor, 0.2)
    vendor.heal()
    assert ask(vendor, 30).status_code == 200
    assert len(vendor.calls) == 2


def test_darkness_ends_connections_that_are_open(vendor: DatabentoStandIn) -> None:
    with socket.create_connection(("127.0.0.1", port_of(vendor)), timeout=5) as connection:
        connection.sendall(b"GET /v0/x HTTP/1.1\r\n\r\n")
        assert connection.recv(4) == b"HTTP"
        vendor.script(Fault.BLACKHOLE)
        while connection.recv(4096):
            pass  # the rest of the answer, then the end


def test_a_reset_is_a_reset(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.RESET)
    with pytest.raises(requests.ConnectionError, match="reset"):
        ask(vendor)
    assert vendor.calls[0].status is None


def test_a_body_may_end_before_its_promised_length(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.CUT_HTTP)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask(vendor)


def test_a_redirect_leads_to_nobody(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.REDIRECT)
    with pytest.raises(requests.ConnectionError, match="refused"):
        ask(vendor)
    assert vendor.calls[0].status == 302


def test_calls_can_be_held_to_see_how_many_there_are_at_once(vendor: DatabentoStandIn) -> None:
    vendor.hold()
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, vendor, 30) for _ in range(4)]
        vendor.wait_until_held(4)
        with pytest.raises(TimeoutError, match="4 calls were waiting, not 5"):
            vendor.wait_until_held(5, timeout_s=0.05)
        assert vendor.calls == []
        vendor.release()
        assert [one.result().status_code for one in asking] == [200] * 4


def test_over_tls_the_vendors_clients_trust_the_stand_ins_own_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    from massive import RESTClient

    with DatabentoStandIn({"ES": BARS}, tls=True) as vendor:
        with pytest.raises(requests.exceptions.SSLError):
            ask(vendor)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(vendor.ca_file))
        assert historical(vendor).metadata.get_dataset_range("GLBX.MDP3")["start"] == vendor.available_start
    with PolygonStandIn({"ES": BARS}, tls=True) as polygon:
        client = RESTClient(polygon.key, base=polygon.url, ca_certs=str(polygon.ca_file))
        assert [one.ticker for one in client.list_futures_contracts()] == ["ESH4", "ESM4"]


def test_what_breaks_in_the_stand_in_itself_is_raised_in_the_test() -> None:
    def take_a_hundred_of_nine() -> None:
        with PolygonStandIn({"ES": BARS.take(slice(0, 9))}) as polygon:
            polygon.script(Fault.MISSING)
            url = f"{polygon.url}/futures/v1/aggs/ESH4?resolution=1min"
            with pytest.raises(requests.ConnectionError):
                requests.get(url, headers={"Authorization": f"Bearer {polygon.key}"}, timeout=5)

    with pytest.raises(BaseExceptionGroup, match="stand-in itself"):
        take_a_hundred_of_nine()


def test_when_it_is_over_nobody_listens_any_more() -> None:
    with DatabentoStandIn() as vendor:
        port = port_of(vendor)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
