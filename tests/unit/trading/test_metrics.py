"""Metrics against figures worked out by hand, and against the usual formulas written out here."""

from datetime import date
from decimal import Decimal
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.backtest.types import BacktestResult, Trades
from trading.metrics import Metrics, daily_points, drawdowns, from_result, sharpe_ratio, usd

DAY = 19_737  # 2024-01-15
BAR_NS = 60_000_000_000


def trades_of(net_usd: list[str]) -> Trades:
    net = np.array([int(Decimal(text) * 10_000) for text in net_usd], np.int64)
    size = len(net)
    zeros = np.zeros(size, np.int64)
    ones8, ones32 = np.ones(size, np.int8), np.ones(size, np.int32)
    return Trades(ones8, ones32, zeros, zeros, zeros, zeros, zeros, zeros, net, zeros, net, ones8, ones32)


def result_of(net_usd: list[str], equity_usd: list[str], sessions: list[int]) -> BacktestResult:
    equity = np.array([int(Decimal(text) * 10_000) for text in equity_usd], np.int64)
    ts = np.arange(len(equity), dtype=np.int64) * BAR_NS
    return BacktestResult(trades_of(net_usd), ts, np.array(sessions, np.int64) + DAY, equity, None, "made")


def worked_example() -> BacktestResult:
    """Four trades over three days; equity rises to 300, falls to -200 on the second day, ends at 100."""
    return result_of(
        ["300.00", "-450.25", "250.25", "0.00"],
        ["-50", "100", "300", "250", "-200", "-150", "0", "100"],
        [0, 0, 0, 1, 1, 1, 2, 2],
    )


def test_the_worked_example_has_its_known_figures() -> None:
    metrics = from_result(worked_example())
    # Days end at 300, -150, 100: profits 300, -450, 250, mean 100/3, squares about it summing to 351,666.67.
    sharpe = (100 / 3) / sqrt((300**2 + 450**2 + 250**2 - 100**2 / 3) / 2) * sqrt(252)
    assert metrics.sharpe == pytest.approx(sharpe, rel=1e-12)
    assert metrics.profit_factor == pytest.approx(550.25 / 450.25, rel=1e-15)
    assert metrics == Metrics(
        net_pnl=Decimal("100.0000"),
        open_pnl=Decimal("0.0000"),
        gross_profit=Decimal("550.2500"),
        gross_loss=Decimal("-450.2500"),
        total_trades=4,
        wins=2,
        losses=1,
        win_rate=0.5,
        max_drawdown_usd=Decimal("500.0000"),
        max_drawdown_fraction=0.01,
        sharpe=metrics.sharpe,
        profit_factor=metrics.profit_factor,
        expectancy=Decimal("25.0000"),
    )


def test_the_worked_example_has_one_point_a_trading_day() -> None:
    points = [
        (point.trading_day, point.last_bar_ns // BAR_NS, usd(point.equity_e4), usd(point.drawdown_e4))
        for point in daily_points(worked_example())
    ]
    assert points == [
        (date(2024, 1, 15), 2, Decimal(300), Decimal(50)),
        (date(2024, 1, 16), 5, Decimal(-150), Decimal(500)),
        (date(2024, 1, 17), 7, Decimal(100), Decimal(300)),
    ]


def test_what_no_trade_can_tell_is_none_and_never_zero() -> None:
    metrics = from_result(result_of([], ["0", "0"], [0, 1]))
    assert (metrics.win_rate, metrics.profit_factor, metrics.expectancy, metrics.sharpe) == (None, None, None, None)
    assert (metrics.net_pnl, metrics.total_trades, metrics.max_drawdown_usd) == (Decimal(0), 0, Decimal(0))


def test_no_bars_give_no_days_and_no_figures() -> None:
    empty = result_of([], [], [])
    assert daily_points(empty) == ()
    assert from_result(empty).sharpe is None


def test_without_a_losing_trade_there_is_no_profit_factor() -> None:
    metrics = from_result(result_of(["10", "0"], ["10", "10"], [0, 1]))
    assert metrics.profit_factor is None
    assert metrics.losses == 0


def test_without_a_winning_trade_the_profit_factor_is_zero() -> None:
    assert from_result(result_of(["-10"], ["-10", "-10"], [0, 1])).profit_factor == 0.0


def test_the_start_counts_as_a_peak() -> None:
    assert drawdowns(np.array([-30, -10, 5, 0])).tolist() == [30, 10, 0, 5]


@pytest.mark.parametrize("equity", [["7"], ["7", "14", "21"], ["0.1", "0.2", "0.3"]])
def test_one_day_or_equal_days_have_no_sharpe_ratio(equity: list[str]) -> None:
    assert from_result(result_of(["1"], equity, list(range(len(equity))))).sharpe is None


def test_an_open_position_is_in_equity_and_not_in_net_pnl() -> None:
    metrics = from_result(result_of(["100"], ["100", "-900"], [0, 1]))
    assert metrics.net_pnl == Decimal(100)
    assert metrics.max_drawdown_usd == Decimal(1000)


def test_json_shows_money_as_exact_text_and_rates_as_numbers() -> None:
    shown = from_result(worked_example()).as_json()
    assert shown["net_pnl"] == "100.0000"
    assert shown["max_drawdown_usd"] == "500.0000"
    assert shown["win_rate"] == 0.5
    assert from_result(result_of([], ["0"], [0])).as_json()["expectancy"] is None


money = st.integers(-(10**9), 10**9)


@given(st.lists(money, min_size=2, max_size=60))
def test_sharpe_is_the_usual_formula_on_returns_of_the_starting_capital(daily: list[int]) -> None:
    returns = [pnl / 10_000 / 50_000 for pnl in daily]
    mean = sum(returns) / len(returns)
    variance = sum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    found = sharpe_ratio(np.array(daily, np.int64))
    if len(set(daily)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(mean / sqrt(variance) * sqrt(252), rel=1e-6, abs=1e-9)


@given(st.lists(st.tuples(money, st.integers(0, 1)), min_size=1, max_size=60))
def test_points_agree_with_a_walk_bar_by_bar(bars: list[tuple[int, int]]) -> None:
    equity = [value for value, _ in bars]
    sessions = np.cumsum([step for _, step in bars]).tolist()
    result = result_of([], [str(usd(value)) for value in equity], sessions)
    peak, last, deepest = 0, {}, dict[int, int]()
    for value, day in zip(equity, sessions, strict=True):
        peak = max(peak, value)
        last[day] = value
        deepest[day] = max(deepest.get(day, 0), peak - value)
    points = daily_points(result)
    assert [point.equity_e4 for point in points] == list(last.values())
    assert [point.drawdown_e4 for point in points] == list(deepest.values())
    assert from_result(result).max_drawdown_usd == usd(max(deepest.values()))


@given(st.lists(money, max_size=60))
def test_profits_and_losses_add_up_to_net_pnl_to_the_last_digit(nets: list[int]) -> None:
    metrics = from_result(result_of([str(usd(value)) for value in nets], ["0"], [0]))
    assert (
        metrics.gross_profit + metrics.gross_loss == metrics.net_pnl == sum((usd(value) for value in nets), Decimal(0))
    )
