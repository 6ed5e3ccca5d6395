"""Databento's client through the gate, on a stand-in that speaks the vendor's wire format."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from databento import HistoricalGateway

from core.errors import ErrorCode, GantryError
from integrations.databento.client import VENDOR_URL, DatabentoBars
from integrations.files.reader import read_bars_file
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.ports import BarsSource
from tests.factories.bars import equal, made_bars, ns
from tests.factories.databento import JANUARY, NOW, same, source
from tests.fakes.usage import KeptUsage
from tests.standins.databento import COST, COUNT, DATASET_RANGE, RANGE, DatabentoStandIn
from tests.standins.faults import Fault
from tests.standins.records import instrument_id
from trading.bars.hashing import content_hash, contracts_hash
from trading.bars.months import concatenate
from trading.bars.schema import Bars
from trading.instruments import get_instrument

DATA = Path(os.environ.get("GANTRY_TEST_DATA", ""))
EURO_DBN = DATA / "6E_2024-01" / "6EH4.ohlcv-1m.dbn.zst"
FEBRUARY = made_bars("2024-02-05T23:00", "2024-02-07T22:00")
BOTH = concatenate([JANUARY, FEBRUARY])
NOT_THERE = ErrorCode.DATA_UNAVAILABLE


@pytest.fixture
def vendor() -> Iterator[DatabentoStandIn]:
    with DatabentoStandIn({"ES": BOTH}) as found:
        yield found


def refusal(bars: DatabentoBars, symbol: str, month: str, now: datetime = NOW) -> GantryError:
    with pytest.raises(GantryError) as caught:
        bars.fetch_month(symbol, month, now=now)
    return caught.value


def test_a_product_is_asked_for_as_its_most_traded_expiry_for_the_whole_month(vendor: DatabentoStandIn) -> None:
    bars: BarsSource = source(vendor)
    month = bars.fetch_month("ES", "2024-01", now=NOW)
    assert same(month.bars.bars, JANUARY)
    assert (month.provider, month.symbol, month.month) == ("databento", "ES", "2024-01")
    assert month.payload_name == month.bars.source_name == "ES-2024-01.dbn.zst"
    (call,) = vendor.called(RANGE)
    assert dict(call.params) == {
        "dataset": "GLBX.MDP3",
        "symbols": "ES.v.0",
        "stype_in": "continuous",
        "stype_out": "instrument_id",
        "schema": "ohlcv-1m",
        "encoding": "dbn",
        "compression": "zstd",
        "start": "2024-01-01T00:00:00+00:00",
        "end": "2024-02-01T00:00:00+00:00",
    }
    assert [call.action for call in vendor.calls] == [DATASET_RANGE, COUNT, RANGE]


def test_the_payload_is_the_vendors_file_and_its_details_tell_what_was_asked(
    vendor: DatabentoStandIn, tmp_path: Path
) -> None:
    month = source(vendor).fetch_month("ES", "2024-01", now=NOW)
    path = tmp_path / month.payload_name
    path.write_bytes(month.payload)
    (read,) = read_bars_file(path)
    assert equal(read.bars, month.bars.bars)
    assert read.source_sha256 == month.bars.source_sha256
    assert (
        month.details
        == month.bars.source_details
        == read.source_details
        | {
            "vendor_symbol": "ES.v.0",
            "start": "2024-01-01T00:00:00+00:00",
            "end": "2024-02-01T00:00:00+00:00",
            "partly_resolved": False,
            "warnings": [],
        }
    )


def test_a_roll_changes_the_instrument_id_of_a_product(vendor: DatabentoStandIn) -> None:
    rolled = concatenate([made_bars("2024-03-10T22:00", "2024-03-12T21:00"), later_expiry()])
    with DatabentoStandIn({"ES": rolled}) as other:
        found = source(other).fetch_month("ES", "2024-03", now=NOW).bars.bars
    assert found.contracts == tuple(str(instrument_id(name)) for name in ("ESH24", "ESM24"))
    assert same(found, rolled)


def later_expiry() -> Bars:
    return made_bars("2024-03-12T22:00", "2024-03-14T21:00", contract="ESM24")


@pytest.mark.parametrize("name", ["ESH4", "ESH24", "ES 202403"])
def test_a_single_contract_is_asked_for_by_the_exchanges_name_and_kept_under_its_product(
    vendor: DatabentoStandIn, name: str
) -> None:
    month = source(vendor).fetch_month(name, "2024-01", now=NOW)
    assert equal(month.bars.bars, JANUARY)
    assert (month.symbol, month.payload_name) == ("ES", "ESH4-2024-01.dbn.zst")
    (call,) = vendor.called(RANGE)
    assert (call.params["symbols"], call.params["stype_in"]) == ("ESH4", "raw_symbol")


def test_a_contract_of_another_decade_is_not_taken_for_the_one_asked_for(vendor: DatabentoStandIn) -> None:
    assert refusal(source(vendor), "ESH34", "2024-01").code is NOT_THERE
    assert refusal(source(vendor), "ESH24", "2024-04").code is NOT_THERE
    assert vendor.calls == []


@pytest.mark.parametrize(("symbol", "month"), [("NOPE", "2024-01"), ("NOPEH4", "2024-01"), ("ES", "2024-13")])
def test_a_wrong_symbol_or_month_is_refused_without_a_call(vendor: DatabentoStandIn, symbol: str, month: str) -> None:
    assert refusal(source(vendor), symbol, month).code is ErrorCode.VALIDATION_FAILED
    assert vendor.calls == []


def test_what_the_vendor_does_not_know_is_unavailable(vendor: DatabentoStandIn) -> None:
    assert refusal(source(vendor), "NQ", "2024-01").code is NOT_THERE
    assert refusal(source(vendor), "ESM4", "2024-01").code is NOT_THERE


def test_a_month_without_bars_is_unavailable_and_no_bars_are_bought(vendor: DatabentoStandIn) -> None:
    assert refusal(source(vendor), "ES", "2023-12").code is NOT_THERE
    assert vendor.called(RANGE) == []


def test_a_month_outside_of_the_dataset_is_refused_with_its_range(vendor: DatabentoStandIn) -> None:
    bars = source(vendor)
    for month in ("2009-01", "2024-03"):
        error = refusal(bars, "ES", month)
        assert error.code is NOT_THERE
        assert "from 2010-06-06 00:00 UTC to 2024-03-01 00:00 UTC" in error.message
        assert error.facts["available_end"] == "2024-03-01T00:00:00+00:00"
    assert [call.action for call in vendor.calls] == [DATASET_RANGE]


def test_a_month_that_has_not_begun_is_refused_without_a_call(vendor: DatabentoStandIn) -> None:
    assert refusal(source(vendor), "ES", "2024-02", datetime(2024, 1, 31, 23, tzinfo=UTC)).code is NOT_THERE
    assert vendor.calls == []


def test_a_month_is_cut_to_the_minutes_that_are_over(vendor: DatabentoStandIn) -> None:
    now = datetime(2024, 1, 10, 12, 34, 56, tzinfo=UTC)
    found = source(vendor).fetch_month("ES", "2024-01", now=now)
    assert found.details["end"] == "2024-01-10T12:34:00+00:00"
    assert found.bars.bars.ts[-1] == ns("2024-01-10T12:33")


def test_a_month_is_cut_to_what_the_dataset_has(vendor: DatabentoStandIn) -> None:
    vendor.available_start = "2024-01-09T12:00:00.000000000Z"
    vendor.available_end = "2024-01-10T12:34:56.789000000Z"
    found = source(vendor).fetch_month("ES", "2024-01", now=NOW).bars.bars
    assert (found.ts[0], found.ts[-1]) == (ns("2024-01-09T12:00"), ns("2024-01-10T12:33"))


def test_the_datasets_range_is_asked_for_once_by_all_threads(vendor: DatabentoStandIn) -> None:
    bars = source(vendor)
    months = ["2024-01", "2024-02"] * 4
    with ThreadPoolExecutor(bars.parallel) as pool:
        found = list(pool.map(lambda month: len(bars.fetch_month("ES", month, now=NOW).bars.bars), months))
    assert found == [len(JANUARY), len(FEBRUARY)] * 4
    assert len(vendor.called(DATASET_RANGE)) == 1


def test_a_range_that_could_not_be_had_is_asked_for_again(vendor: DatabentoStandIn) -> None:
    bars = source(vendor)
    vendor.script(Fault.FORBIDDEN)
    assert refusal(bars, "ES", "2024-01").code is ErrorCode.PROVIDER_ENTITLEMENT
    assert same(bars.fetch_month("ES", "2024-01", now=NOW).bars.bars, JANUARY)


def test_a_quote_sums_cost_and_records_of_the_months_there_are(vendor: DatabentoStandIn) -> None:
    quote = source(vendor).quote("ES", ["2024-01", "2024-02", "2024-03"])
    parts = [len(part) * 56 / 2**30 * 28.0 for part in (JANUARY, FEBRUARY)]
    assert quote.cost_usd == sum(Decimal(str(part)) for part in parts)
    assert (quote.provider, quote.records) == ("databento", len(BOTH))
    assert [len(vendor.called(action)) for action in (DATASET_RANGE, COST, COUNT, RANGE)] == [1, 2, 2, 0]


def test_a_quote_for_months_that_are_all_outside_is_refused(vendor: DatabentoStandIn) -> None:
    with pytest.raises(GantryError) as caught:
        source(vendor).quote("ES", ["2009-01", "2024-03"])
    assert caught.value.code is NOT_THERE


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.WRONG_JSON, Fault.EMPTY])
def test_a_cost_that_is_no_number_is_a_bad_response(vendor: DatabentoStandIn, fault: Fault) -> None:
    vendor.script(fault, 1, lambda call: call.action == COST)
    with pytest.raises(GantryError) as caught:
        source(vendor).quote("ES", ["2024-01"])
    assert caught.value.code is ErrorCode.PROVIDER_BAD_RESPONSE


def test_a_key_that_the_vendor_does_not_know_is_reported_without_it(vendor: DatabentoStandIn) -> None:
    usage = KeptUsage()
    error = refusal(source(vendor, usage, key="canary-of-databento"), "ES", "2024-01")
    assert error.code is ErrorCode.INTEGRATION_VERIFY_FAILED
    assert not any("canary" in text for text in (str(error), repr(error.facts), repr(usage.events)))


@pytest.mark.parametrize("key", ["", "  ", "YOUR_API_KEY"])
def test_a_missing_key_is_reported_before_any_call(key: str) -> None:
    with pytest.raises(GantryError) as caught:
        DatabentoBars(key, ProviderGate("databento", CallPolicy(), KeptUsage(), Limiter(None)))
    assert caught.value.code is ErrorCode.INTEGRATION_KEY_MISSING


@pytest.mark.parametrize("key", ["canary\nkey", "canary-ключ", "canary key", "canary:key"])
def test_what_can_be_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(GantryError) as caught:
        DatabentoBars(key, ProviderGate("databento", CallPolicy(), KeptUsage(), Limiter(None)))
    assert caught.value.code is ErrorCode.INTEGRATION_VERIFY_FAILED
    assert "canary" not in str(caught.value)


def test_bars_come_over_tls_from_a_server_that_is_trusted() -> None:
    with DatabentoStandIn({"ES": JANUARY}, tls=True) as vendor:
        assert same(source(vendor).fetch_month("ES", "2024-01", now=NOW).bars.bars, JANUARY)


def test_the_vendors_client_is_loaded_with_the_first_call_and_its_address_is_ours() -> None:
    assert str(HistoricalGateway.BO1) == VENDOR_URL
    code = "import sys, integrations.databento.client; print('databento' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.real
@pytest.mark.parametrize("symbol", ["6EH4", "6EH24"])
def test_the_euros_january_through_the_stand_in_is_the_imported_file_hash_for_hash(symbol: str) -> None:
    (imported,) = read_bars_file(EURO_DBN)
    euro = get_instrument("6E")
    with DatabentoStandIn() as vendor:
        vendor.add_file("6E", EURO_DBN)
        month = source(vendor).fetch_month(symbol, "2024-01", now=NOW)
    found = month.bars.bars
    assert (month.symbol, len(found), found.contracts) == ("6E", 29_996, ("6EH24",))
    assert content_hash(found, euro) == content_hash(imported.bars, euro)
    assert contracts_hash(found) == contracts_hash(imported.bars)
    assert equal(found, imported.bars)
