"""The stand-in for Databento, driven by Databento's own client and read by our own reader."""

import hashlib
import os
from datetime import date
from pathlib import Path
from typing import Any

import databento
import numpy as np
import pytest
from databento.common.error import BentoClientError, BentoError, BentoServerError, BentoWarning

from core.errors import GantryError
from integrations.files.dbn import read_dbn
from integrations.files.payload import read_payload
from integrations.files.types import FileBars, Stamp
from tests.standins.databento import COST, COUNT, RANGE, DatabentoStandIn, historical
from tests.standins.faults import Fault
from tests.standins.made import bars_around_a_roll
from tests.standins.records import RECORD_BYTES, instrument_id
from trading.bars.schema import Bars, Timeframe

ASKED: dict[str, Any] = {
    "dataset": "GLBX.MDP3",
    "start": "2024-03-01",
    "end": "2024-04-01",
    "symbols": "ES.v.0",
    "schema": "ohlcv-1m",
    "stype_in": "continuous",
}
BARS = bars_around_a_roll()
ROLL = int(np.flatnonzero(np.diff(BARS.contract))[0]) + 1
MINUTE = 60_000_000_000


def fetched(vendor: DatabentoStandIn, **other: Any) -> databento.DBNStore:
    return historical(vendor).timeseries.get_range(**{**ASKED, **other})


def read(vendor: DatabentoStandIn, folder: Path) -> FileBars:
    path = folder / "ES.dbn.zst"
    fetched(vendor).to_file(path)
    return read_dbn(read_payload(path), symbol="ES", tz=None, stamp=Stamp.OPEN)[0]


def per_expiry() -> Bars:
    """Two contracts side by side on two days; the later one trades more from the second day on."""
    start = int(np.datetime64("2024-03-05", "ns").astype(np.int64))
    ts = np.repeat([start, start + MINUTE, start + 1440 * MINUTE, start + 1441 * MINUTE], 2)
    price = np.full(8, 5000.25)
    volume = np.array([9, 2, 9, 2, 3, 8, 3, 8])
    return Bars(
        "ES", Timeframe.M1, ts, price, price, price, price, volume, np.tile([0, 1], 4).astype(np.int32),
        ("ESH24", "ESM24"),
    )  # fmt: skip


def test_our_reader_gets_back_the_bars_that_went_in(tmp_path: Path) -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        got = read(vendor, tmp_path).bars
    assert got.contracts == tuple(str(instrument_id(name)) for name in BARS.contracts)
    for column in ("ts", "open", "high", "low", "close", "volume", "contract"):
        np.testing.assert_array_equal(getattr(got, column), getattr(BARS, column))


def test_a_continuous_symbol_changes_its_instrument_id_at_the_roll() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        store = fetched(vendor)
    ids = store.to_ndarray()["instrument_id"]
    assert ids[ROLL - 1] == instrument_id("ESH24")
    assert ids[ROLL] == instrument_id("ESM24")
    first, last = store.metadata.mappings["ES.v.0"]
    assert first["start_date"] == date(2024, 3, 1)
    assert [one["symbol"] for one in (first, last)] == [str(instrument_id(name)) for name in ("ESH24", "ESM24")]
    assert last["end_date"] == date(2024, 4, 1)


def test_a_raw_symbol_is_one_contract() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        store = fetched(vendor, symbols="ESM4", stype_in="raw_symbol")
    assert len(store.to_ndarray()) == len(BARS) - ROLL
    assert list(store.metadata.mappings) == ["ESM4"]


def test_the_front_of_several_expiries_is_the_first_or_yesterdays_busiest() -> None:
    with DatabentoStandIn({"ES": per_expiry()}) as vendor:
        by_expiry = fetched(vendor, symbols="ES.c.0").to_ndarray()["volume"].tolist()
        by_volume = fetched(vendor, symbols="ES.v.0").to_ndarray()["volume"].tolist()
        second = fetched(vendor, symbols="ES.c.1").to_ndarray()["volume"].tolist()
    assert by_expiry == by_volume == [9, 9, 3, 3]
    assert second == [2, 2, 8, 8]


@pytest.mark.real
def test_a_genuine_file_is_served_whole() -> None:
    genuine = Path(os.environ["GANTRY_TEST_DATA"]) / "6E_2024-01" / "6EH4.ohlcv-1m.dbn.zst"
    with DatabentoStandIn() as vendor:
        vendor.add_file("6E", genuine)
        asked = {"start": "2024-01-01", "end": "2024-02-01"}
        raw = fetched(vendor, **asked, symbols="6EH4", stype_in="raw_symbol").to_ndarray()
        continuous = fetched(vendor, **asked, symbols="6E.v.0").to_ndarray()
    np.testing.assert_array_equal(raw, databento.DBNStore.from_bytes(genuine.read_bytes()).to_ndarray())
    np.testing.assert_array_equal(continuous, raw)


def test_what_was_streamed_can_be_served_again(tmp_path: Path) -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        fetched(vendor, symbols="ESM4", stype_in="raw_symbol").to_file(tmp_path / "one.dbn.zst")
    with DatabentoStandIn() as vendor:
        vendor.add_file("ES", tmp_path / "one.dbn.zst")
        fetched(vendor, symbols="ESM4", stype_in="raw_symbol").to_file(tmp_path / "two.dbn.zst")
    one, two = (hashlib.sha256((tmp_path / f"{name}.dbn.zst").read_bytes()).digest() for name in ("one", "two"))
    assert one == two


def test_count_cost_and_range_agree_with_the_records() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        client = historical(vendor)
        assert client.metadata.get_record_count(**ASKED) == len(BARS)
        assert client.metadata.get_cost(**ASKED) == pytest.approx(len(BARS) * RECORD_BYTES / 2**30 * 28)
        assert client.metadata.get_dataset_range("GLBX.MDP3")["end"] == "2024-04-01T00:00:00.000000000Z"
        actions = [(call.action, call.month, call.status) for call in vendor.calls]
    assert actions[:2] == [(COUNT, "2024-03", 200), (COST, "2024-03", 200)]


@pytest.mark.parametrize(
    ("other", "case"),
    [
        ({"end": "2024-04-02"}, "data_end_after_available_end"),
        ({"start": "2009-01-01"}, "data_start_before_available_start"),
        ({"start": "2024-03-31", "end": "2024-03-31"}, "data_time_range_start_on_or_after_end"),
        ({"symbols": "NQ.v.0"}, "symbology_invalid_request"),
        ({"schema": "trades"}, "data_schema_not_supported"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_vendors_words(other: dict[str, str], case: str) -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor, pytest.raises(BentoClientError) as refused:
        fetched(vendor, **other)
    assert refused.value.http_status == 422
    assert refused.value.json_body is not None
    assert refused.value.json_body["detail"]["case"] == case


def test_another_key_is_not_let_in() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor, DatabentoStandIn(key="db-other") as other:
        vendor_key, other.url = vendor.key, vendor.url
        with pytest.raises(BentoClientError, match="auth_authentication_failed") as refused:
            fetched(other)
    assert refused.value.http_status == 401
    assert vendor_key not in str(refused.value)


def test_symbols_that_do_not_all_resolve_come_as_206() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        store = fetched(vendor, symbols=["ESM4", "ESU4"], stype_in="raw_symbol")
        assert vendor.calls[0].status == 206
    assert store.metadata.not_found == ["ESU4"]


def test_a_range_without_bars_is_a_warning_and_an_empty_stream() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor, pytest.warns(BentoWarning, match="No data found"):
        store = fetched(vendor, start="2024-02-01", end="2024-03-01")
    assert len(store.to_ndarray()) == 0


@pytest.mark.filterwarnings("ignore:DBN file is truncated")
@pytest.mark.parametrize(
    ("fault", "records", "message"),
    [
        (Fault.CUT_MID_RECORD, len(BARS) // 2, "zstd stream has no end"),
        (Fault.CUT_BETWEEN_RECORDS, len(BARS) // 2, "zstd stream has no end"),
        (Fault.CUT_WHOLE_FRAME, len(BARS) // 2, "20 bytes into record"),
        (Fault.DUPLICATES, len(BARS) + 5, "a second bar"),
        (Fault.UNSORTED, len(BARS), "comes after"),
        (Fault.IMPOSSIBLE, len(BARS), "the bar has"),
        (Fault.NO_RECORDS, 0, "holds no records"),
    ],
)
def test_the_vendors_client_passes_over_what_our_reader_refuses(
    fault: Fault, records: int, message: str, tmp_path: Path
) -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        vendor.script(fault, times=2)
        historical(vendor).metadata.get_record_count(**ASKED)  # returns no bars: the fault waits
        assert len(fetched(vendor).to_ndarray()) == records
        with pytest.raises(GantryError, match=message):
            read(vendor, tmp_path)
        assert vendor.still_scripted == []
        assert len(fetched(vendor).to_ndarray()) == len(BARS)


def test_bars_of_the_future_and_bars_that_are_missing_look_like_any_others() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        vendor.script(Fault.FUTURE)
        assert fetched(vendor).to_ndarray()["ts_event"][-1] > np.datetime64("2034-01-01", "ns").astype(np.int64)
        vendor.script(Fault.MISSING)
        assert len(fetched(vendor).to_ndarray()) == len(BARS) - 100


def test_a_partly_resolved_month_comes_as_206() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        vendor.script(Fault.PARTIAL)
        store = fetched(vendor)
        assert vendor.called(RANGE)[0].status == 206
    assert store.metadata.partial == ["ES.v.0"]
    assert 0 < len(store.to_ndarray()) < len(BARS)


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.WRONG_JSON, Fault.EMPTY, Fault.CUT_HTTP])
def test_an_answer_that_is_no_stream_fails_in_the_vendors_client(fault: Fault) -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        vendor.script(fault, when=lambda call: call.action == RANGE)
        with pytest.raises((BentoError, ValueError)):
            fetched(vendor)


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.NO_FUNDS, 402), (Fault.FORBIDDEN, 403), (Fault.UNPROCESSABLE, 422), (Fault.RATE_LIMITED, 429)],
)
def test_a_scripted_refusal_carries_the_vendors_error_body(fault: Fault, status: int) -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        vendor.script(fault, retry_after=3)
        with pytest.raises(BentoClientError) as refused:
            fetched(vendor)
    assert refused.value.http_status == status
    assert refused.value.json_body is not None
    assert refused.value.json_body["detail"]["status_code"] == status
    assert refused.value.headers.get("Retry-After") == ("3" if status == 429 else None)


def test_a_fault_strikes_as_often_as_scripted_and_where_it_was_scripted() -> None:
    with DatabentoStandIn({"ES": BARS}) as vendor:
        vendor.script(Fault.SERVER_ERROR, times=2, when=lambda call: call.action == COST)
        client = historical(vendor)
        assert client.metadata.get_record_count(**ASKED) == len(BARS)
        for _ in range(2):
            with pytest.raises(BentoServerError):
                client.metadata.get_cost(**ASKED)
        assert client.metadata.get_cost(**ASKED) > 0
        assert [call.fault for call in vendor.called(COST)] == ["SERVER_ERROR", "SERVER_ERROR", None]


def test_a_fault_of_another_vendors_pages_is_no_fault_of_databentos() -> None:
    with DatabentoStandIn() as vendor, pytest.raises(ValueError, match="NEXT_LOOP"):
        vendor.script(Fault.NEXT_LOOP)
