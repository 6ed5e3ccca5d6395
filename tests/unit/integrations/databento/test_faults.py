"""Every fault of Databento: its error code, within the deadline, with nothing kept; the next attempt succeeds."""

import time
from collections.abc import Iterator

import pytest

from core.errors import ErrorCode, GantryError
from integrations.ports import BadPayload, CallStatus
from tests.factories.databento import DEADLINE_S, JANUARY, NOW, same, source
from tests.fakes.usage import KeptUsage
from tests.standins.databento import COUNT, DATASET_RANGE, RANGE, DatabentoStandIn
from tests.standins.faults import Fault

BAD, UNFIT = ErrorCode.PROVIDER_BAD_RESPONSE, ErrorCode.DATA_QUALITY_FAILED
LATE, NOT_THERE = ErrorCode.PROVIDER_TIMEOUT, ErrorCode.DATA_UNAVAILABLE
SLACK_S = 2.0  # for a machine at work

OF_ANY_ANSWER = {
    Fault.UNAUTHORIZED: ErrorCode.INTEGRATION_VERIFY_FAILED,
    Fault.NO_FUNDS: ErrorCode.PROVIDER_ENTITLEMENT,
    Fault.FORBIDDEN: ErrorCode.PROVIDER_ENTITLEMENT,
    Fault.ECHOED_KEY: ErrorCode.PROVIDER_ENTITLEMENT,
    Fault.NOT_FOUND: NOT_THERE,
    Fault.UNPROCESSABLE: NOT_THERE,
    Fault.REQUEST_TIMEOUT: LATE,
    Fault.RATE_LIMITED: ErrorCode.PROVIDER_RATE_LIMITED,
    Fault.SERVER_ERROR: BAD,
    Fault.BAD_GATEWAY: BAD,
    Fault.UNAVAILABLE: BAD,
    Fault.GATEWAY_TIMEOUT: BAD,
    Fault.REDIRECT: BAD,
    Fault.SILENCE: LATE,
    Fault.DRIP_HEAD: LATE,
    Fault.DRIP_BODY: LATE,
    Fault.CUT_HTTP: BAD,
    Fault.RESET: BAD,
    Fault.HTML: BAD,
    Fault.WRONG_JSON: BAD,
    Fault.EMPTY: BAD,
}
OF_BARS = {
    Fault.CUT_MID_RECORD: BAD,
    Fault.CUT_BETWEEN_RECORDS: BAD,
    Fault.CUT_WHOLE_FRAME: UNFIT,
    Fault.NO_RECORDS: UNFIT,
    Fault.MISSING: UNFIT,
    Fault.DUPLICATES: UNFIT,
    Fault.UNSORTED: UNFIT,
    Fault.FUTURE: UNFIT,
    Fault.IMPOSSIBLE: UNFIT,
    Fault.OTHER_SCHEMA: BAD,
    Fault.PARTIAL: UNFIT,
}
PUT_ASIDE = {*OF_BARS, Fault.HTML, Fault.WRONG_JSON, Fault.EMPTY}


@pytest.fixture
def vendor() -> Iterator[DatabentoStandIn]:
    with DatabentoStandIn({"ES": JANUARY}) as found:
        yield found


@pytest.mark.parametrize(
    ("action", "fault", "code"),
    [
        pytest.param(action, fault, code, id=f"{action}-{fault.name}")
        for action in (RANGE, COUNT, DATASET_RANGE)
        for fault, code in (OF_ANY_ANSWER | (OF_BARS if action == RANGE else {})).items()
    ],
)
def test_a_fault_gives_its_code_in_time_and_the_next_try_heals(
    vendor: DatabentoStandIn, action: str, fault: Fault, code: ErrorCode
) -> None:
    usage = KeptUsage()
    bars = source(vendor, usage)
    vendor.drip_s = DEADLINE_S * 0.4  # a byte comes in time, four of them don't
    vendor.script(fault, None, lambda call: call.action == action, retry_after=60)
    started = time.monotonic()
    with pytest.raises(GantryError) as caught:
        bars.fetch_month("ES", "2024-01", now=NOW)
    assert time.monotonic() - started < DEADLINE_S + SLACK_S
    assert caught.value.code is code, str(caught.value)
    assert isinstance(caught.value, BadPayload) == (action == RANGE and fault in PUT_ASIDE)
    vendor.heal()
    assert same(bars.fetch_month("ES", "2024-01", now=NOW).bars.bars, JANUARY)
    assert [event.action for event in usage.events] == [call.action for call in vendor.calls]
    shown = [str(caught.value), repr(caught.value), repr(caught.value.facts), *map(repr, usage.events)]
    assert not any(vendor.key in text for text in shown)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault in PUT_ASIDE])
def test_what_was_sent_and_refused_comes_along_as_it_came(vendor: DatabentoStandIn, fault: Fault) -> None:
    good = source(vendor).fetch_month("ES", "2024-01", now=NOW).payload
    vendor.script(fault, None, lambda call: call.action == RANGE)
    with pytest.raises(BadPayload) as caught:
        source(vendor).fetch_month("ES", "2024-01", now=NOW)
    assert caught.value.payload_name == "ES-2024-01.dbn.zst"
    assert caught.value.payload != good
    assert bool(caught.value.payload) == (fault is not Fault.EMPTY)
    assert caught.value.fix


def test_a_host_that_accepts_nothing_is_a_timeout_in_time_and_heals(vendor: DatabentoStandIn) -> None:
    usage = KeptUsage()
    bars = source(vendor, usage)
    vendor.script(Fault.BLACKHOLE)
    started = time.monotonic()
    with pytest.raises(GantryError) as caught:
        bars.fetch_month("ES", "2024-01", now=NOW)
    assert time.monotonic() - started < DEADLINE_S + SLACK_S
    assert caught.value.code is LATE
    assert {(event.status, event.error_code) for event in usage.events} == {(CallStatus.ERROR, LATE)}
    vendor.heal()
    assert same(bars.fetch_month("ES", "2024-01", now=NOW).bars.bars, JANUARY)


def test_a_short_wait_that_the_vendor_asks_for_is_kept_and_both_attempts_are_accounted_for(
    vendor: DatabentoStandIn,
) -> None:
    usage = KeptUsage()
    vendor.script(Fault.RATE_LIMITED, 1, lambda call: call.action == RANGE, retry_after=0.05)
    month = source(vendor, usage).fetch_month("ES", "2024-01", now=NOW)
    assert same(month.bars.bars, JANUARY)
    assert [(event.action, event.status, event.error_code) for event in usage.events] == [
        (DATASET_RANGE, CallStatus.OK, None),
        (COUNT, CallStatus.OK, None),
        (RANGE, CallStatus.ERROR, "PROVIDER_RATE_LIMITED"),
        (RANGE, CallStatus.OK, None),
    ]


def test_a_long_wait_that_the_vendor_asks_for_is_reported(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.RATE_LIMITED, retry_after=60)
    with pytest.raises(GantryError) as caught:
        source(vendor).fetch_month("ES", "2024-01", now=NOW)
    assert caught.value.facts["retry_after_s"] == 60


def test_a_refusal_tells_the_vendors_case_and_where_its_data_ends(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.UNPROCESSABLE, 1, lambda call: call.action == RANGE)
    with pytest.raises(GantryError) as caught:
        source(vendor).fetch_month("ES", "2024-01", now=NOW)
    assert caught.value.facts["case"] == "data_end_after_available_end"
    assert caught.value.facts["available_end"] == vendor.available_end
    assert caught.value.facts["http_status"] == 422


def test_a_count_that_differs_is_reported_with_both_numbers(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.MISSING)
    with pytest.raises(BadPayload) as caught:
        source(vendor).fetch_month("ES", "2024-01", now=NOW)
    facts = caught.value.facts
    assert (facts["promised"], facts["received"]) == (len(JANUARY), len(JANUARY) - 100)


def test_a_symbol_resolved_for_a_part_of_the_days_is_reported(vendor: DatabentoStandIn) -> None:
    vendor.script(Fault.PARTIAL)
    with pytest.raises(BadPayload) as caught:
        source(vendor).fetch_month("ES", "2024-01", now=NOW)
    assert caught.value.facts["partly_resolved"] is True
    assert "some of the days" in caught.value.message


def test_an_attempt_that_brought_no_bars_is_an_error_of_its_usage_row(vendor: DatabentoStandIn) -> None:
    usage = KeptUsage()
    vendor.script(Fault.CUT_BETWEEN_RECORDS)
    with pytest.raises(BadPayload):
        source(vendor, usage).fetch_month("ES", "2024-01", now=NOW)
    assert [(event.status, event.error_code) for event in usage.events][-1] == (CallStatus.ERROR, BAD)
    assert len(vendor.called(RANGE)) == 1
