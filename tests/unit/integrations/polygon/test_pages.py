"""Polygon's pages one by one: every shape that its client would pass over in silence is refused, and kept aside."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import ErrorCode, GantryError
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.polygon.client import PolygonBars
from integrations.ports import BadPayload, CallStatus, FetchedMonth, UsageEvent
from tests.factories.bars import ns
from tests.factories.polygon_pages import Asked, Pages, page, served

NOW = datetime(2024, 6, 1, tzinfo=UTC)
KEY = "canary-key-of-polygon"
START = ns("2024-01-09T15:00")
MINUTE = 60_000_000_000
CONTRACT = {"ticker": "ESH4", "product_code": "ES", "type": "single", "last_trade_date": "2024-03-15"}
BAD, UNFIT = ErrorCode.PROVIDER_BAD_RESPONSE, ErrorCode.DATA_QUALITY_FAILED


class Events:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.found: list[UsageEvent] = []

    def record(self, event: UsageEvent) -> None:
        self.found.append(event)


def bar(minute: int = 0, **changed: object) -> dict[str, object]:
    prices = {"open": 5000.25, "high": 5001, "low": 5000, "close": 5000.5}
    made = {"ticker": "ESH4", **prices, "volume": 7, "window_start": START + minute * MINUTE}
    return {**made, **changed}


def fetch(
    pages: Pages, events: Events, *, symbol: str = "ES", month: str = "2024-01", now: datetime = NOW
) -> FetchedMonth:
    policy = CallPolicy(deadline_s=5, attempts=2, backoff_s=0.01, calls_per_minute=1e6, burst=1000)
    gate = ProviderGate("polygon", policy, events, Limiter(None))
    return PolygonBars(KEY, gate, base_url=pages.url).fetch_month(symbol, month, now=now)


def answering(of_bars: Callable[[str, Asked], tuple[int, bytes]]) -> Callable[[str, Asked], tuple[int, bytes]]:
    """Answer the list of contracts with one contract, and bars as given."""
    return lambda url, asked: page([CONTRACT]) if asked.path.endswith("/contracts") else of_bars(url, asked)


def refused(status: int, body: bytes) -> tuple[GantryError, Events]:
    """Return the error of a fetch whose first page of bars is this."""
    events = Events()
    with served(answering(lambda *_: (status, body))) as pages, pytest.raises(GantryError) as caught:
        fetch(pages, events)
    return caught.value, events


def changed(**fields: object) -> bytes:
    """Return a page of two bars, the second changed; `...` leaves a field away."""
    second = {name: value for name, value in bar(1, **fields).items() if value is not ...}
    return page([bar(), second])[1]


def test_a_month_is_one_list_of_contracts_and_one_of_bars_with_the_key_in_a_header_only() -> None:
    events = Events()
    with served(answering(lambda *_: page([bar(0), bar(1)]))) as pages:
        month = fetch(pages, events)
    assert [asked.path for asked in pages.asked] == ["/futures/v1/contracts", "/futures/v1/aggs/ESH4"]
    assert pages.asked[0].query == {
        "product_code": "ES",
        "type": "single",
        "last_trade_date.gte": "2024-01-01",
        "last_trade_date.lte": "2024-05-31",
        "limit": "1000",
        "sort": "last_trade_date.asc",
    }
    assert pages.asked[1].query == {
        "resolution": "1min",
        "window_start.gte": str(ns("2024-01-01")),
        "window_start.lt": str(ns("2024-02-01")),
        "limit": "50000",
        "sort": "window_start.asc",
    }
    assert {asked.authorization for asked in pages.asked} == {f"Bearer {KEY}"}
    assert not any(KEY in asked.target for asked in pages.asked)
    assert month.bars.bars.contracts == ("ESH24",)
    assert month.bars.bars.ts.tolist() == [START, START + MINUTE]
    assert [(event.action, event.status) for event in events.found] == [
        ("futures.contracts", CallStatus.OK),
        ("futures.aggs", CallStatus.OK),
    ]


def test_the_payload_is_each_page_on_a_line_without_the_key_and_hashed() -> None:
    def of_bars(url: str, asked: Asked) -> tuple[int, bytes]:
        if "cursor" in asked.query:
            return page([bar(1)])
        return page([bar(0)], next_url=f"{url}{asked.path}?cursor=two&apiKey={KEY}")

    with served(answering(of_bars)) as pages:
        month = fetch(pages, Events())
    assert not any(KEY in asked.target for asked in pages.asked)
    assert pages.asked[-1].query == {"cursor": "two"}
    lines = month.payload.splitlines()
    assert [len(json.loads(line)["results"]) for line in lines] == [1, 1, 1]
    assert KEY.encode() not in month.payload
    assert month.payload_name == month.bars.source_name == "ES-2024-01.jsonl"
    assert month.details["pages"] == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "nothing", id="empty"),
        pytest.param(b"<html><body>Sign in</body></html>", "web page", id="HTML"),
        pytest.param(page([bar()])[1][:-20], "broken JSON", id="cut JSON"),
        pytest.param(b"[" * 100_000, "broken JSON", id="JSON without a bottom"),
        pytest.param(b'\xff{"results": []}', "broken JSON", id="not UTF-8"),
        pytest.param(b"[]", "not an object", id="a list"),
        pytest.param(b'{"status": "OK"}', "without a list of results", id="no results"),
        pytest.param(page(None)[1], "without a list of results", id="null results"),
        pytest.param(page({})[1], "another shape", id="results of an object"),
        pytest.param(page([bar(), 5])[1], "another shape", id="a result that is a number"),
        pytest.param(changed(ticker="ESM4"), "another contract", id="another ticker"),
        pytest.param(changed(ticker=...), "another contract", id="no ticker"),
        *(
            pytest.param(changed(**{name: value}), name, id=f"{name} is {value!r}")
            for name in ("open", "high", "low", "close", "volume", "window_start")
            for value in (..., None, "5000.25", True)
        ),
        pytest.param(changed(open=float("nan")), "broken JSON", id="NaN"),
        pytest.param(page([bar(volume=987)])[1].replace(b"987", b"1e999"), "volume", id="endless volume"),
        pytest.param(page([bar(high=987)])[1].replace(b"987", b"1e999"), "price", id="endless price"),
        pytest.param(changed(volume=2.5), "volume", id="half a contract"),
        pytest.param(changed(window_start=1.5e18), "time", id="a time that lost its minutes"),
        pytest.param(changed(window_start=10**30), "time", id="a time of no calendar"),
        pytest.param(changed(open=10**400), "price", id="a price of four hundred digits"),
    ],
)
def test_a_page_of_another_shape_is_a_bad_response_asked_for_once_and_kept_aside(body: bytes, message: str) -> None:
    error, events = refused(200, body)
    assert error.code is BAD
    assert message in error.message
    assert isinstance(error, BadPayload)
    assert error.payload.splitlines()[-1].split() == body.split()
    assert [event.error_code for event in events.found] == [None, BAD]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, ErrorCode.INTEGRATION_VERIFY_FAILED),
        (402, ErrorCode.PROVIDER_ENTITLEMENT),
        (403, ErrorCode.PROVIDER_ENTITLEMENT),
        (404, ErrorCode.DATA_UNAVAILABLE),
        (422, ErrorCode.DATA_UNAVAILABLE),
        (400, BAD),
        (206, BAD),
        (410, BAD),
    ],
)
def test_each_refusal_has_its_code_is_not_tried_again_and_repeats_no_key(status: int, code: ErrorCode) -> None:
    error, events = refused(status, json.dumps({"status": "ERROR", "error": f"No, {KEY}\nnot you."}).encode())
    assert error.code is code
    assert "not you" in error.message
    assert KEY not in f"{error} {error!r} {error.facts} {events.found}"
    assert [event.error_code for event in events.found] == [None, code]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_fails_for_good_ends_with_a_code_and_nothing_put_aside(status: int) -> None:
    error, events = refused(status, b"{}")
    assert error.code is (ErrorCode.PROVIDER_RATE_LIMITED if status == 429 else BAD)
    assert not isinstance(error, BadPayload)
    assert [event.error_code for event in events.found] == [None, error.code, error.code]


@pytest.mark.parametrize(
    "next_url",
    [
        "https://api.massive.example/futures/v1/aggs/ESH4?cursor=2",
        "https://api.massive.com@evil.example/futures/v1/aggs/ESH4?cursor=2",
        "{url}/futures/v1/contracts?cursor=2",
        "ftp://api.massive.com/futures/v1/aggs/ESH4?cursor=2",
        "/futures/v1/aggs/ESH4?cursor=2",
        "http://[/futures/v1/aggs/ESH4",
        "",
        None,
        5,
    ],
)
def test_a_next_page_elsewhere_is_a_bad_response(next_url: object) -> None:
    def of_bars(url: str, _: Asked) -> tuple[int, bytes]:
        return page([bar()], next_url=next_url.format(url=url) if isinstance(next_url, str) else next_url)

    with served(answering(of_bars)) as pages, pytest.raises(BadPayload, match="next page on another host") as caught:
        fetch(pages, Events())
    assert caught.value.code is BAD
    assert len(pages.asked) == 2


@pytest.mark.parametrize("host", ["https://api.massive.com", "https://api.polygon.io"])
def test_a_next_page_named_by_either_of_the_vendors_hosts_is_asked_for_where_the_first_one_was(host: str) -> None:
    def of_bars(_: str, asked: Asked) -> tuple[int, bytes]:
        return page([bar(1)]) if asked.query.get("cursor") else page([bar()], next_url=f"{host}{asked.path}?cursor=2")

    with served(answering(of_bars)) as pages:
        assert len(fetch(pages, Events()).bars.bars) == 2
    assert len(pages.asked) == 3


def test_pages_that_lead_back_to_one_another_are_a_bad_response() -> None:
    def of_bars(url: str, asked: Asked) -> tuple[int, bytes]:
        cursor = "b" if asked.query.get("cursor") == "a" else "a"
        return page([], next_url=f"{url}{asked.path}?cursor={cursor}")

    with served(answering(of_bars)) as pages, pytest.raises(BadPayload, match="already sent") as caught:
        fetch(pages, Events())
    assert caught.value.code is BAD
    assert len(pages.asked) == 4


def test_pages_without_an_end_stop_at_a_bound() -> None:
    def of_bars(url: str, asked: Asked) -> tuple[int, bytes]:
        return page([], next_url=f"{url}{asked.path}?cursor={int(asked.query.get('cursor', 0)) + 1}")

    with served(answering(of_bars)) as pages, pytest.raises(BadPayload, match="more than 200 pages") as caught:
        fetch(pages, Events())
    assert caught.value.code is BAD
    assert len(pages.asked) == 201


def test_many_times_more_bars_than_there_were_minutes_stop_at_a_bound() -> None:
    def of_bars(url: str, asked: Asked) -> tuple[int, bytes]:
        return page([bar()] * 3, next_url=f"{url}{asked.path}?cursor={int(asked.query.get('cursor', 0)) + 1}")

    two_minutes_in = datetime(2024, 1, 1, 0, 2, tzinfo=UTC)
    with served(answering(of_bars)) as pages, pytest.raises(BadPayload, match="more than 8 results") as caught:
        fetch(pages, Events(), now=two_minutes_in)
    assert caught.value.code is BAD
    assert len(pages.asked) == 4


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ([bar(0), bar(1), bar(1)], "a second bar"),
        ([bar(1), bar(0)], "comes after"),
        ([bar(0), bar(60 * 24 * 365 * 50)], "finished minute"),
        ([bar(0), bar(-60 * 24 * 30)], "before the month"),
        ([bar(0, high=4000)], "a high below"),
        ([bar(0, open=5000.1)], "tick"),
        ([bar(0, volume=-1)], "negative volume"),
        ([bar(0, window_start=START + 1)], "whole minute"),
    ],
)
def test_bars_that_can_not_be_are_unfit_and_kept_aside(bars: list[dict[str, object]], message: str) -> None:
    error, events = refused(*page(bars))
    assert error.code is UNFIT
    assert message in error.message
    assert isinstance(error, BadPayload)
    assert json.loads(error.payload.splitlines()[-1])["results"] == bars
    assert [event.status for event in events.found] == [CallStatus.OK] * 2


def test_the_minute_that_is_not_over_is_not_asked_for_and_refused_where_it_comes_all_the_same() -> None:
    now = datetime(2024, 1, 9, 15, 2, 30, tzinfo=UTC)
    with served(answering(lambda *_: page([bar(0), bar(1)]))) as pages:
        assert len(fetch(pages, Events(), now=now).bars.bars) == 2
    assert pages.asked[1].query["window_start.lt"] == str(START + 2 * MINUTE)
    forming = answering(lambda *_: page([bar(0), bar(1), bar(2)]))
    with served(forming) as pages, pytest.raises(BadPayload, match="finished minute") as caught:
        fetch(pages, Events(), now=now)
    assert caught.value.code is UNFIT


def test_no_bars_and_no_contracts_are_data_that_is_not_there() -> None:
    error, events = refused(*page([]))
    assert error.code is ErrorCode.DATA_UNAVAILABLE
    assert not isinstance(error, BadPayload)
    assert [event.status for event in events.found] == [CallStatus.OK] * 2
    with served(lambda *_: page([])) as pages, pytest.raises(GantryError, match="lists no contract") as caught:
        fetch(pages, Events())
    assert caught.value.code is ErrorCode.DATA_UNAVAILABLE


@pytest.mark.parametrize(
    "contract",
    [
        {},
        {**CONTRACT, "ticker": None},
        {**CONTRACT, "product_code": ["ES"]},
        {**CONTRACT, "last_trade_date": "soon"},
        {**CONTRACT, "last_trade_date": None},
    ],
)
def test_a_contract_without_a_ticker_a_product_or_an_end_is_a_bad_response(contract: dict[str, Any]) -> None:
    with served(lambda *_: page([CONTRACT, contract])) as pages, pytest.raises(BadPayload) as caught:
        fetch(pages, Events())
    assert caught.value.code is BAD
    assert len(pages.asked) == 1


def test_a_month_that_has_not_begun_makes_no_call() -> None:
    with served(lambda *_: page([])) as pages, pytest.raises(GantryError, match="has not begun") as caught:
        fetch(pages, Events(), month="2024-06")
    assert caught.value.code is ErrorCode.DATA_UNAVAILABLE
    assert pages.asked == []


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", ErrorCode.INTEGRATION_KEY_MISSING),
        (" \n", ErrorCode.INTEGRATION_KEY_MISSING),
        ("canary\nkey", ErrorCode.INTEGRATION_VERIFY_FAILED),
        ("canary kéy", ErrorCode.INTEGRATION_VERIFY_FAILED),
    ],
)
def test_what_can_be_no_key_is_refused_before_any_call_and_not_shown(key: str, code: ErrorCode) -> None:
    with pytest.raises(GantryError) as caught:
        PolygonBars(key, ProviderGate("polygon", CallPolicy(), Events(), Limiter(None)))
    assert caught.value.code is code
    assert "canary" not in str(caught.value)


def test_a_quote_is_free_of_calls_and_knows_the_symbols() -> None:
    source = PolygonBars(KEY, ProviderGate("polygon", CallPolicy(), Events(), Limiter(None)))
    assert source.quote("ES", ["2024-01"]).cost_usd is None
    assert KEY not in repr(source)
    for symbol, month in (("XX", "2024-01"), ("ES", "2024-13")):
        with pytest.raises(GantryError) as caught:
            source.quote(symbol, [month])
        assert caught.value.code is ErrorCode.VALIDATION_FAILED
