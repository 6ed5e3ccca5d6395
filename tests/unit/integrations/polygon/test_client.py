"""Polygon's bars through its own client against a server that speaks its wire format: paging, rolls, every fault."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import CallStatus
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.polygon.client import PolygonBars
from integrations.ports import BadPayload, BarsSource, FetchedMonth, UsageEvent
from integrations.simulator.months import simulate_month
from tests.factories.bars import equal, made_bars, ns, with_volume
from tests.standins.faults import Fault
from tests.standins.polygon import PolygonStandIn
from trading.bars.front import windows
from trading.bars.hashing import content_hash
from trading.bars.months import concatenate
from trading.bars.quality import assess
from trading.bars.quality_types import ProblemCode
from trading.bars.schema import Bars
from trading.instruments import get_instrument

NOW: Final = datetime(2024, 6, 1, tzinfo=UTC)
DEADLINE_S: Final = 1.0
GRACE_S: Final = 1.0  # for a busy machine
JANUARY: Final = made_bars()
CONTRACTS, BARS = "futures.contracts", "futures.aggs"
_CODE: Final = {
    Fault.UNAUTHORIZED: ErrorCode.INTEGRATION_VERIFY_FAILED,
    Fault.NO_FUNDS: ErrorCode.PROVIDER_ENTITLEMENT,
    Fault.FORBIDDEN: ErrorCode.PROVIDER_ENTITLEMENT,
    Fault.ECHOED_KEY: ErrorCode.PROVIDER_ENTITLEMENT,
    Fault.NOT_FOUND: ErrorCode.DATA_UNAVAILABLE,
    Fault.UNPROCESSABLE: ErrorCode.DATA_UNAVAILABLE,
    Fault.RATE_LIMITED: ErrorCode.PROVIDER_RATE_LIMITED,
    Fault.REQUEST_TIMEOUT: ErrorCode.PROVIDER_TIMEOUT,
    Fault.SERVER_ERROR: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.BAD_GATEWAY: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.UNAVAILABLE: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.GATEWAY_TIMEOUT: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.REDIRECT: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.BLACKHOLE: ErrorCode.PROVIDER_TIMEOUT,
    Fault.SILENCE: ErrorCode.PROVIDER_TIMEOUT,
    Fault.DRIP_HEAD: ErrorCode.PROVIDER_TIMEOUT,
    Fault.DRIP_BODY: ErrorCode.PROVIDER_TIMEOUT,
    Fault.CUT_HTTP: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.RESET: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.HTML: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.WRONG_JSON: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.EMPTY: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.NO_RESULTS: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.NEXT_LOOP: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.NEXT_ELSEWHERE: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.CUT_MID_RECORD: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.CUT_BETWEEN_RECORDS: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.OTHER_SCHEMA: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.NO_RECORDS: ErrorCode.DATA_UNAVAILABLE,
    Fault.DUPLICATES: ErrorCode.DATA_QUALITY_FAILED,
    Fault.UNSORTED: ErrorCode.DATA_QUALITY_FAILED,
    Fault.FUTURE: ErrorCode.DATA_QUALITY_FAILED,
    Fault.IMPOSSIBLE: ErrorCode.DATA_QUALITY_FAILED,
}
_SEEN_LATER: Final = frozenset((Fault.MISSING,))  # the vendor states no count: see the test of its own
_OF_BARS: Final = frozenset(
    (
        Fault.CUT_MID_RECORD,
        Fault.CUT_BETWEEN_RECORDS,
        Fault.OTHER_SCHEMA,
        Fault.NO_RECORDS,
        Fault.DUPLICATES,
        Fault.UNSORTED,
        Fault.FUTURE,
        Fault.IMPOSSIBLE,
    )
)
_WHOLE_PAGE: Final = frozenset(  # a page came, and is put aside
    (
        Fault.HTML,
        Fault.WRONG_JSON,
        Fault.EMPTY,
        Fault.NO_RESULTS,
        Fault.NEXT_LOOP,
        Fault.NEXT_ELSEWHERE,
        *(_OF_BARS - {Fault.NO_RECORDS}),
    )
)


class Events:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.found: list[UsageEvent] = []

    def record(self, event: UsageEvent) -> None:
        self.found.append(event)


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def vendor() -> Iterator[PolygonStandIn]:
    with PolygonStandIn({"ES": JANUARY}) as vendor:
        yield vendor


def source(vendor: PolygonStandIn, events: Events, *, deadline_s: float = DEADLINE_S) -> BarsSource:
    policy = CallPolicy(deadline_s=deadline_s, attempts=2, backoff_s=0.01, calls_per_minute=60_000, burst=1000)
    gate = ProviderGate(
        "polygon", policy, events, Limiter(None), ca_file=str(vendor.ca_file) if vendor.ca_file else None
    )
    return PolygonBars(vendor.key, gate, base_url=vendor.url)


def fetch(vendor: PolygonStandIn, events: Events, month: str = "2024-01", symbol: str = "ES") -> FetchedMonth:
    return source(vendor, events, deadline_s=30).fetch_month(symbol, month, now=NOW)


def with_a_roll() -> Bars:
    """Return two weeks of March in both expiries; the later one trades more from the third session on."""
    parts = [
        made_bars("2024-03-03T23:00", "2024-03-15T13:00", contract="ESH24", volume=100),
        with_volume(
            made_bars("2024-03-03T23:00", "2024-03-15T13:00", contract="ESM24", first_tick=20_200, volume=10),
            "2024-03-05T23:00",
            "2024-03-16",
            900,
        ),
    ]
    return concatenate(parts)


def test_a_month_comes_as_it_was_served_and_each_call_is_one_event(vendor: PolygonStandIn, events: Events) -> None:
    month = fetch(vendor, events)
    assert equal(month.bars.bars, JANUARY)
    assert (month.provider, month.symbol, month.month) == ("polygon", "ES", "2024-01")
    assert [(event.action, event.status) for event in events.found] == [
        (CONTRACTS, CallStatus.OK),
        (BARS, CallStatus.OK),
    ]
    assert [call.action for call in vendor.calls] == [CONTRACTS, BARS]


def test_pages_are_put_together_and_each_is_a_call(vendor: PolygonStandIn, events: Events) -> None:
    vendor.page_rows = 1000
    month = fetch(vendor, events)
    assert equal(month.bars.bars, JANUARY)
    pages = -(-len(JANUARY) // 1000)
    assert len(vendor.called(BARS)) == pages
    assert len(month.payload.splitlines()) == len(vendor.calls) == len(events.found) == pages + 1


def test_a_month_with_a_roll_has_the_bars_of_both_expiries_and_rolls_on_the_real_contracts(events: Events) -> None:
    bars = with_a_roll()
    with PolygonStandIn({"ES": bars}, also_listed=["ESU24", "ESZ24"]) as vendor:
        month = fetch(vendor, events, "2024-03")
    assert equal(month.bars.bars, bars)
    assert [call.params["ticker"] for call in vendor.called(BARS)] == ["ESH4", "ESM4"]
    rolls = [roll for window in windows(month.bars.bars, get_instrument("ES")) for roll in window.rolls]
    assert [(roll.old_contract, roll.new_contract) for roll in rolls] == [("ESH24", "ESM24")]


def test_a_listed_expiry_without_a_bar_is_passed_over(events: Events) -> None:
    bars = with_a_roll()
    march = bars.take(bars.contract == 0)
    with PolygonStandIn({"ES": march}, also_listed=["ESM24"]) as vendor:
        month = fetch(vendor, events, "2024-03")
    assert month.bars.bars.contracts == ("ESH24",)
    assert len(vendor.called(BARS)) == 2


def test_only_the_bars_of_the_month_are_asked_for(events: Events) -> None:
    bars = made_bars("2024-01-29T23:00", "2024-02-02T22:00")
    with PolygonStandIn({"ES": bars}) as vendor:
        january, february = fetch(vendor, events).bars.bars, fetch(vendor, events, "2024-02").bars.bars
    assert january.ts[-1] < ns("2024-02-01") <= february.ts[0]
    assert equal(concatenate([january, february]), bars)


@pytest.mark.parametrize("symbol", ["ES", "6E", "ZN"])
def test_simulated_months_keep_every_price_to_the_tick(symbol: str, events: Events) -> None:
    instrument = get_instrument(symbol)
    bars = simulate_month(instrument, "2024-03", 1)
    with PolygonStandIn({symbol: bars}) as vendor:
        month = fetch(vendor, events, "2024-03", symbol)
    assert content_hash(month.bars.bars, instrument) == content_hash(bars, instrument)


def test_it_works_over_tls_with_the_roots_of_the_gate_and_with_no_others(events: Events) -> None:
    with PolygonStandIn({"ES": JANUARY}, tls=True) as vendor:
        assert equal(fetch(vendor, events).bars.bars, JANUARY)
        distrustful = ProviderGate("polygon", CallPolicy(deadline_s=2, attempts=1), events, Limiter(None))
        with pytest.raises(GantryError, match="trusted"):
            PolygonBars(vendor.key, distrustful, base_url=vendor.url).fetch_month("ES", "2024-01", now=NOW)


@pytest.mark.parametrize(
    ("fault", "action"),
    [
        pytest.param(fault, action, id=f"{fault.name} of {action}")
        for fault in _CODE
        for action in (CONTRACTS, BARS)
        if action == BARS or fault not in _OF_BARS | {Fault.BLACKHOLE}
    ],
)
def test_each_fault_has_its_code_in_time_one_event_a_call_shows_no_key_and_the_next_try_heals(
    fault: Fault, action: str, vendor: PolygonStandIn, events: Events
) -> None:
    vendor.script(fault, None, lambda call: call.action == action, retry_after=60)
    # What is answered at once may take its time on a busy machine: only what never is must end at the deadline.
    deadline_s = DEADLINE_S * (1 if _CODE[fault] is ErrorCode.PROVIDER_TIMEOUT else 5)
    started = time.monotonic()
    with pytest.raises(GantryError) as caught:
        source(vendor, events, deadline_s=deadline_s).fetch_month("ES", "2024-01", now=NOW)
    took_s = time.monotonic() - started
    error = caught.value
    assert error.code is _CODE[fault]
    assert took_s < (deadline_s + GRACE_S) * (1 if action == CONTRACTS else 2)
    assert isinstance(error, BadPayload) is (fault in _WHOLE_PAGE)
    if fault is not Fault.BLACKHOLE:
        assert len(events.found) == len(vendor.calls)
    assert vendor.key not in f"{error} {error!r} {error.facts} {events.found}"
    vendor.heal()
    assert equal(fetch(vendor, events).bars.bars, JANUARY)


def test_every_fault_that_the_vendor_can_have_is_tried() -> None:
    assert set(Fault) - PolygonStandIn.cannot == set(_CODE) | _SEEN_LATER


def test_a_fault_that_passes_is_healed_by_the_gate_within_the_call(vendor: PolygonStandIn, events: Events) -> None:
    vendor.script(Fault.SERVER_ERROR, 1, lambda call: call.action == BARS)
    assert equal(fetch(vendor, events).bars.bars, JANUARY)
    assert [event.error_code for event in events.found] == [None, ErrorCode.PROVIDER_BAD_RESPONSE, None]


def test_a_fault_of_a_later_page_leaves_no_bars_and_puts_aside_all_pages(
    vendor: PolygonStandIn, events: Events
) -> None:
    vendor.page_rows = 1000
    vendor.script(Fault.NO_RESULTS, 1, lambda call: call.action == BARS and len(vendor.called(BARS)) == 2)
    with pytest.raises(BadPayload) as caught:
        fetch(vendor, events)
    assert caught.value.code is ErrorCode.PROVIDER_BAD_RESPONSE
    assert len(caught.value.payload.splitlines()) == 4
    assert equal(fetch(vendor, events).bars.bars, JANUARY)


def test_bars_left_out_can_not_be_seen_in_the_answer_but_are_by_the_checks_of_quality(
    vendor: PolygonStandIn, events: Events
) -> None:
    vendor.script(Fault.MISSING)
    bars = fetch(vendor, events).bars.bars
    assert len(bars) == len(JANUARY) - 100
    problems = {problem.code for problem in assess(bars, get_instrument("ES")).problems}
    assert problems & {ProblemCode.GAPS, ProblemCode.MINUTES_MISSING}


def test_a_wrong_key_is_a_failed_verification(vendor: PolygonStandIn, events: Events) -> None:
    gate = ProviderGate("polygon", CallPolicy(deadline_s=5), events, Limiter(None))
    with pytest.raises(GantryError) as caught:
        PolygonBars("wrong", gate, base_url=vendor.url).fetch_month("ES", "2024-01", now=NOW)
    assert caught.value.code is ErrorCode.INTEGRATION_VERIFY_FAILED
    assert len(vendor.calls) == len(events.found) == 1


def test_calls_wait_for_the_minutes_limit_and_none_is_made_that_would_come_too_late(
    vendor: PolygonStandIn, events: Events
) -> None:
    gate = ProviderGate("polygon", CallPolicy(deadline_s=1, calls_per_minute=5, burst=1), events, Limiter(None))
    with pytest.raises(GantryError) as caught:
        PolygonBars(vendor.key, gate, base_url=vendor.url).fetch_month("ES", "2024-01", now=NOW)
    assert caught.value.code is ErrorCode.PROVIDER_RATE_LIMITED
    assert len(vendor.calls) == len(events.found) == 1


def test_crude_oil_has_its_next_four_expiries(events: Events) -> None:
    names = ("CLG24", "CLH24", "CLJ24", "CLK24")
    parts = [made_bars(symbol="CL", contract=name) for name in names]
    with PolygonStandIn({"CL": concatenate(parts)}, also_listed=["CLF24", "CLM24"]) as vendor:
        bars = fetch(vendor, events, symbol="CL").bars.bars
    assert bars.contracts == names
    assert len(bars) == sum(len(part) for part in parts)
