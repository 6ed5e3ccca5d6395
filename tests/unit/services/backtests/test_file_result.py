"""The parts of a file's result: quality, checks and money, as they are written."""

from decimal import Decimal
from typing import Any

import pytest

from services.backtests.file_result import SKIPPED, analyzers_of, costs_of, guards_of, metrics_of, quality_of
from services.bars.files.read_file import JudgedMonth
from tests.factories.bars import made_bars, without
from trading.backtest.findings import Check, Finding, Where
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs
from trading.bars.front import windows
from trading.bars.quality import assess
from trading.digits import exact_usd_text
from trading.instruments import get_instrument
from trading.metrics import from_result
from trading.strategies.registry import get_strategy

ES = get_instrument("ES")
BARS = made_bars()


def test_the_quality_of_a_file_is_its_worst_month_s_and_each_says_why() -> None:
    holed = without(BARS, "2024-01-09T15:00", "2024-01-09T17:00")
    months = [JudgedMonth("2024-01", len(BARS), assess(BARS, ES)), JudgedMonth("2024-02", 9, assess(holed, ES))]
    shown = quality_of(months)
    assert shown["verdict"] == "WARN"
    assert quality_of(months[:1])["verdict"] == "OK"
    months_shown: Any = shown["months"]
    good, bad = months_shown
    assert (good["verdict"], good["problems"], good["bars"]) == ("OK", [], len(BARS))
    assert bad["verdict"] == "WARN"
    assert "30 minutes or more" in bad["problems"][0]


def test_each_check_has_its_outcome_and_a_failed_guard_its_place() -> None:
    where = Where(7, "2024-01-09T15:07:00Z", "target", "LONG", "SHORT", ("close",))
    found = [
        Finding(Check.SHIFT, False, 2, "It moves.", where),
        Finding(Check.WARM_UP, False, None, "No bars."),
        Finding(Check.FILL_PRICES, True, 0, "None outside."),
    ]
    guards: Any = guards_of(found)
    assert isinstance(guards, dict)
    assert guards["shift"]["outcome"] == "FAILED"
    assert guards["shift"]["where"] == {
        "bar": 7,
        "at": "2024-01-09T15:07:00Z",
        "value": "target",
        "before": "LONG",
        "after": "SHORT",
        "reads": ("close",),
    }
    assert guards["warm_up"]["outcome"] == "UNPROVEN"
    assert list(analyzers_of(found)) == ["fill_prices"]


def test_guards_that_nobody_asked_are_skipped_not_passed() -> None:
    assert guards_of([Finding(Check.FILL_PRICES, True, 0, "None outside.")]) == SKIPPED


def test_every_figure_is_there_and_money_is_text() -> None:
    strategy = get_strategy("sma_cross")
    figures = from_result(run_backtest(windows(BARS, ES), strategy, strategy.parse({}), ES, Costs.default(ES)))
    shown = metrics_of(figures)
    assert list(shown) == list(figures.as_json())
    assert Decimal(str(shown["net_pnl"])) == figures.net_pnl
    assert isinstance(shown["max_drawdown_usd"], str)
    assert costs_of(Costs(2, Decimal("1.5"), 3)) == {"slippage_ticks": 2, "commission_usd": "1.50", "contracts": 3}


@pytest.mark.parametrize(("amount", "text"), [("1234.5", "1234.50"), ("-0.0156", "-0.0156"), ("3.1250", "3.1250")])
def test_money_has_cents_and_four_digits_where_a_cent_is_not_enough(amount: str, text: str) -> None:
    assert exact_usd_text(Decimal(amount)) == text
