"""Before a fetch a person sees which months are missing and what they cost; nothing is bought meanwhile."""

from decimal import Decimal

import pytest

from core.errors import ErrorCode, GantryError
from services.supply.fetch_plan import FetchPlan, plan_fetch
from sql.engine import Transactions
from tests.factories.bars_months import make_month
from tests.fakes.bars_source import PricedSource

MONTHS = ("2024-01", "2024-02", "2024-03")
REFUSED = GantryError(ErrorCode.PROVIDER_ENTITLEMENT, "not yours", fix="subscribe")


def plan(
    tx: Transactions,
    *sources: PricedSource,
    symbols: tuple[str, ...] = ("ES",),
    start: str | None = "2024-01",
    end: str = "2024-03",
    again: bool = False,
) -> FetchPlan:
    return plan_fetch(tx, sources, symbols, start=start, end=end, months=2, again=again)


def test_months_that_are_there_whole_are_left_out_and_simulated_or_partial_ones_are_not(tx: Transactions) -> None:
    with tx() as session:
        make_month(session, month="2024-01", data_label="IMPORTED", provider="files")
        make_month(session, month="2024-02")  # simulated
        cut = {"end": "2024-03-20T00:00:00+00:00"}
        make_month(session, month="2024-03", data_label="VENDOR", provider="databento", source_details=cut)
    found = plan(tx, PricedSource())
    assert found.missing == (("ES", "2024-02"), ("ES", "2024-03"))
    assert found.there == (("ES", "2024-01"),)
    assert plan(tx, PricedSource(), again=True).missing == tuple(("ES", month) for month in MONTHS)


def test_without_a_first_month_as_many_are_planned_as_the_history_has(tx: Transactions) -> None:
    assert plan(tx, PricedSource(), start=None).missing == (("ES", "2024-02"), ("ES", "2024-03"))


def test_the_cost_is_the_sum_over_symbols_and_unknown_as_soon_as_one_is(tx: Transactions) -> None:
    priced = plan(tx, PricedSource(), symbols=("ES", "CL", "ES"))
    assert (priced.cost_usd, priced.records) == (Decimal(12), 60)
    subscribed = plan(tx, PricedSource(usd_a_month=None, records_a_month=None))
    assert (subscribed.cost_usd, subscribed.records) == (None, None)


def test_the_first_provider_that_can_say_its_price_is_shown_with_those_after_it(tx: Transactions) -> None:
    first, second, third = PricedSource("first", refuses=REFUSED), PricedSource("second"), PricedSource("third")
    found = plan(tx, first, second, third)
    assert (found.provider, found.sources) == ("second", (second, third))
    assert third.asked == []


def test_without_any_price_the_first_providers_refusal_is_reported(tx: Transactions) -> None:
    other = GantryError(ErrorCode.PROVIDER_TIMEOUT, "late", fix="wait")
    with pytest.raises(GantryError) as refused:
        plan(tx, PricedSource(refuses=REFUSED), PricedSource(refuses=other))
    assert refused.value is REFUSED


@pytest.mark.parametrize(("start", "end"), [("2024-04", "2024-03"), ("2024-13", "2024-03"), ("2024-01", "soon")])
def test_what_is_no_span_of_months_is_refused(tx: Transactions, start: str, end: str) -> None:
    with pytest.raises(GantryError) as refused:
        plan(tx, PricedSource(), start=start, end=end)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED


def test_an_unknown_symbol_is_refused(tx: Transactions) -> None:
    with pytest.raises(GantryError) as refused:
        plan(tx, PricedSource(), symbols=("ES", "XX"))
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
