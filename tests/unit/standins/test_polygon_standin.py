"""The stand-in for Polygon, driven by the vendor's own client."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from massive import RESTClient
from massive.exceptions import BadResponse
from urllib3.exceptions import MaxRetryError

from tests.standins.faults import Fault
from tests.standins.made import bars_around_a_roll
from tests.standins.polygon import AGGREGATES, CONTRACTS, PolygonStandIn

BARS = bars_around_a_roll()
JUNE = BARS.take(BARS.contract == 1)


def client_of(vendor: PolygonStandIn, **other: Any) -> Any:
    return RESTClient(other.pop("api_key", vendor.key), base=vendor.url, retries=0, **other)


def aggregates(vendor: PolygonStandIn, ticker: str = "ESM4", **other: Any) -> list[Any]:
    asked = {"resolution": "1min", "window_start_gte": "2024-03-01", "window_start_lt": "2024-04-01", "limit": 50_000}
    return list(client_of(vendor).list_futures_aggregates(ticker, **{**asked, "sort": "window_start.asc", **other}))


def test_the_bars_of_one_contract_come_back_as_they_went_in() -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        rows = aggregates(vendor)
        assert [(call.action, call.month, call.status) for call in vendor.calls] == [(AGGREGATES, "2024-03", 200)]
    assert [row.window_start for row in rows] == JUNE.ts.tolist()
    for column in ("open", "high", "low", "close", "volume"):
        assert [getattr(row, column) for row in rows] == getattr(JUNE, column).tolist()
    assert {row.ticker for row in rows} == {"ESM4"}
    assert rows[0].session_end_date == "2024-03-12"  # an evening's bars belong to the next day


@pytest.mark.parametrize("packed", [True, False])
def test_pages_follow_one_another_by_next_url(packed: bool) -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        vendor.page_rows, vendor.gzips = 400, packed
        rows = aggregates(vendor)
        assert len(vendor.calls) == 4
        assert {call.month for call in vendor.calls} == {"2024-03"}
    assert [row.window_start for row in rows] == JUNE.ts.tolist()


def test_times_are_filtered_in_nanoseconds_and_sorted_as_asked() -> None:
    first, last = int(JUNE.ts[10]), int(JUNE.ts[20])
    with PolygonStandIn({"ES": BARS}) as vendor:
        rows = aggregates(
            vendor, window_start_gte=str(first), window_start_lt=str(last), sort="window_start.desc", limit=3
        )
        assert len(vendor.calls) == 4
    assert [row.window_start for row in rows] == JUNE.ts[10:20][::-1].tolist()


def test_contracts_are_listed_with_their_last_days() -> None:
    with PolygonStandIn({"ES": BARS}, also_listed=["ESU24", "NQM24", "CLM24"]) as vendor:
        found = list(
            client_of(vendor).list_futures_contracts(
                product_code="ES",
                type="single",
                last_trade_date_gte="2024-03-01",
                last_trade_date_lte="2024-09-30",
                sort="last_trade_date.asc",
                limit=2,
            )
        )
        crude = next(client_of(vendor).list_futures_contracts(ticker="CLM4"))
        assert [call.action for call in vendor.calls] == [CONTRACTS] * 3
        assert aggregates(vendor, "ESU4") == []
    assert [(one.ticker, one.last_trade_date) for one in found] == [
        ("ESH4", "2024-03-15"),
        ("ESM4", "2024-06-21"),
        ("ESU4", "2024-09-20"),
    ]
    assert crude.last_trade_date == "2024-05-20"


def test_contracts_are_listed_as_of_the_day_asked_for() -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        vendor.today = date(2024, 4, 1)
        now = list(client_of(vendor).list_futures_contracts(active=True))
        then = list(client_of(vendor).list_futures_contracts(active=True, date="2024-03-01"))
    assert [one.ticker for one in now] == ["ESM4"]
    assert [one.ticker for one in then] == ["ESH4", "ESM4"]


def test_another_key_is_not_let_in() -> None:
    with PolygonStandIn({"ES": BARS}) as vendor, pytest.raises(BadResponse, match="Unknown API Key"):
        next(client_of(vendor, api_key="other").list_futures_contracts())


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        (Fault.HTML, 0),
        (Fault.WRONG_JSON, 0),
        (Fault.EMPTY, 0),
        (Fault.NO_RESULTS, 0),
        (Fault.NO_RECORDS, 0),
        (Fault.CUT_MID_RECORD, 0),
        (Fault.CUT_BETWEEN_RECORDS, 0),
        (Fault.MISSING, len(JUNE) - 100),
        (Fault.DUPLICATES, len(JUNE) + 5),
    ],
)
def test_the_vendors_client_is_silent_about_bars_that_are_not_there(fault: Fault, rows: int) -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        vendor.script(fault, when=lambda call: call.action == AGGREGATES)
        assert len(aggregates(vendor)) == rows
        assert vendor.still_scripted == []
        assert len(aggregates(vendor)) == len(JUNE)


def test_bars_may_be_unsorted_of_the_future_impossible_or_of_another_contract() -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        for fault in (Fault.UNSORTED, Fault.FUTURE, Fault.IMPOSSIBLE, Fault.OTHER_SCHEMA):
            vendor.script(fault)
        unsorted, future, impossible, other = (aggregates(vendor) for _ in range(4))
    assert (np.diff([row.window_start for row in unsorted]) < 0).sum() == 1
    assert future[-1].window_start > np.datetime64("2034-01-01", "ns").astype(np.int64)
    assert [row.high < row.low for row in impossible].count(True) == len(impossible[::60])
    assert {row.ticker for row in other} == {"ESX0"}


@pytest.mark.parametrize(("fault", "words"), [(Fault.FORBIDDEN, "not entitled"), (Fault.ECHOED_KEY, "Pka1B2")])
def test_a_scripted_refusal_carries_the_vendors_error_body(fault: Fault, words: str) -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        vendor.script(fault)
        with pytest.raises(BadResponse, match=words):
            aggregates(vendor)
        assert vendor.calls[0].status == 403


def test_too_many_requests_say_when_to_come_back() -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        vendor.script(Fault.RATE_LIMITED, times=None, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")
        with pytest.raises(MaxRetryError, match="429"):
            aggregates(vendor)
        assert vendor.still_scripted == [Fault.RATE_LIMITED]


def test_a_next_page_may_lead_nowhere_new_or_to_another_host() -> None:
    with PolygonStandIn({"ES": BARS}) as vendor:
        vendor.script(Fault.NEXT_LOOP, times=3)
        assert len(aggregates(vendor)) == 4 * len(JUNE)
        vendor.script(Fault.NEXT_ELSEWHERE)
        raw = client_of(vendor).list_futures_aggregates("ESM4", resolution="1min", raw=True)
    assert b'"next_url":"https://elsewhere.example/' in raw.data


def test_contracts_whose_names_tell_no_expiry_are_not_polygons() -> None:
    with pytest.raises(ValueError, match="tells no expiry"):
        PolygonStandIn({"ES": BARS.__class__(**{**_columns(), "contracts": ("123", "456")})})


def _columns() -> dict[str, Any]:
    return {name: getattr(BARS, name) for name in BARS.__slots__}
