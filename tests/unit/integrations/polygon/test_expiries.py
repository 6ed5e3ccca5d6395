"""Which expiries are fetched for a month: those that may be its front, four at most, the traded ones first."""

from types import SimpleNamespace

import pytest

from integrations.polygon.expiries import expiries_of, reach_of


def listed(ticker: str, last: str, product: str | None = None) -> SimpleNamespace:
    """Return a contract as the vendor's client gives it."""
    return SimpleNamespace(ticker=ticker, product_code=product or ticker[:2], last_trade_date=last)


def names(symbol: str, month: str, *contracts: SimpleNamespace) -> list[str]:
    return [expiry.name for expiry in expiries_of(symbol, month, contracts)]


@pytest.mark.parametrize(
    ("symbol", "month", "last"),
    [("ES", "2024-01", "2024-05-31"), ("ZN", "2024-11", "2025-03-31"), ("GC", "2024-07", "2024-12-31")],
)
def test_the_reach_goes_from_the_months_first_day_to_the_end_of_the_fourth_month_after_it_or_fifth_for_gold(
    symbol: str, month: str, last: str
) -> None:
    reach = reach_of(symbol, month)
    assert (reach.first.isoformat(), reach.last.isoformat()) == (f"{month}-01", last)


def test_a_month_with_a_roll_has_both_expiries_in_order_under_the_catalogues_names() -> None:
    both = listed("ESM4", "2024-06-21"), listed("ESH4", "2024-03-15")
    assert names("ES", "2024-03", *both) == ["ESH24", "ESM24"]
    assert names("ES", "2024-03", listed("ESH24", "2024-03-15")) == ["ESH24"]


def test_a_digit_means_the_first_such_year_not_before_the_month() -> None:
    assert names("CL", "2019-12", listed("CLF0", "2019-12-19")) == ["CLF20"]


def test_spreads_other_products_and_expiries_out_of_reach_are_left_out() -> None:
    others = (
        listed("ESH4-ESM4", "2024-03-15", "ES"),
        listed("ES:BF H4-M4-U4", "2024-03-15", "ES"),
        listed("EWF4", "2024-01-31", "EW"),
        listed("ESH4", "2024-03-15", "XX"),
        listed("ESZ3", "2023-12-15"),
        listed("ESM4", "2024-06-21"),
    )
    assert names("ES", "2024-01", *others, listed("ESH4", "2024-03-15")) == ["ESH24"]


def test_a_contract_listed_twice_is_fetched_once() -> None:
    assert names("ES", "2024-01", listed("ESH4", "2024-03-15"), listed("ESH4", "2024-03-15")) == ["ESH24"]


def test_silver_in_november_takes_december_and_march_though_four_others_end_before_march() -> None:
    ends = {"X4": "2024-11-26", "Z4": "2024-12-27", "F5": "2025-01-29", "G5": "2025-02-26", "H5": "2025-03-27"}
    contracts = [listed(f"SI{code}", last) for code, last in ends.items()]
    assert names("SI", "2024-11", *contracts) == ["SIX24", "SIZ24", "SIF25", "SIH25"]


def test_gold_in_july_reaches_december() -> None:
    ends = {"N4": "2024-07-29", "Q4": "2024-08-28", "U4": "2024-09-26", "V4": "2024-10-29", "Z4": "2024-12-27"}
    contracts = [listed(f"GC{code}", last) for code, last in ends.items()]
    assert names("GC", "2024-07", *contracts) == ["GCN24", "GCQ24", "GCV24", "GCZ24"]
