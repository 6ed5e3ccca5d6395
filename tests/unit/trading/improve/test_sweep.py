"""A sweep's figures are the engine's, to the cent, for every strategy."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.edge_windows import noise
from tests.factories.leaks import Faulty, NoParams, honest
from tests.factories.walks import DAY_NS, MONDAY_NS, walk
from tests.factories.windows import window_of
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs, ExitReason
from trading.bars.series import Window
from trading.improve.space import search_space
from trading.improve.sweep import SetResult, Simulator, of_backtest, sweep
from trading.instruments import get_instrument
from trading.strategies.base import Decisions, MarketView
from trading.strategies.registry import STRATEGIES, get_strategy

ES = get_instrument("ES")
COSTS = Costs(1, Decimal("2.25"), 2)


@cache
def windows() -> tuple[Window, ...]:
    """Two windows of three days, a week apart: the first one closes what is open."""
    return *walk(3, 1), *walk(3, 2, start_ns=MONDAY_NS + 7 * DAY_NS)


def assert_same(seen: SetResult, expected: SetResult) -> None:
    for name in ("daily_e4", "trades", "wins", "net_e4"):
        left, right = getattr(seen, name), getattr(expected, name)
        assert left.dtype == right.dtype == np.int64, name
        assert np.array_equal(left, right), f"{seen.params}: {name} is {left}, not {right}"


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_set_of_every_strategy_ends_each_day_as_in_a_backtest(name: str) -> None:
    strategy = get_strategy(name)
    sets = search_space(strategy.parse({}), seed=3, size=12)
    results = sweep(windows(), strategy, sets, ES, COSTS)
    assert [result.params for result in results] == list(sets)
    assert {result.simulator for result in results} == {Simulator.KERNEL}
    assert sum(int(result.trades.sum()) for result in results) > 100
    for result in results:
        backtest = run_backtest(windows(), strategy, result.params, ES, COSTS)
        assert_same(result, of_backtest(result.params, backtest))
        assert int(result.daily_e4.sum()) == int(backtest.equity_e4[-1])
        assert int(result.net_e4.sum()) == int(backtest.trades.net_e4.sum())
        assert int(result.trades.sum()) == len(backtest.trades)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sma_cross", ExitReason.REVERSAL),
        ("rsi_reversion", ExitReason.STOP),
        ("rsi_reversion", ExitReason.TARGET),
        ("donchian_breakout", ExitReason.FLATTEN),
        ("sma_cross", ExitReason.WINDOW_END),
    ],
)
def test_the_bars_of_this_file_meet_every_way_out(name: str, reason: ExitReason) -> None:
    strategy = get_strategy(name)
    trades = run_backtest(windows(), strategy, strategy.parse({}), ES, COSTS).trades
    assert (trades.reason == reason).any()


def test_a_day_that_two_windows_share_is_one_day() -> None:
    (whole,) = noise(1, sessions=4)
    rows = np.column_stack((whole.open_ticks, whole.high_ticks, whole.low_ticks, whole.close_ticks))
    parts = window_of(rows[:1_500]), window_of(rows[1_500:], start_ns=int(whole.bars.ts[1_500]))
    assert parts[0].session[-1] == parts[1].session[0]
    strategy = get_strategy("sma_cross")
    (result,) = sweep(parts, strategy, (strategy.parse({}),), ES, COSTS)
    assert len(result.daily_e4) == len(np.unique(whole.session))
    assert_same(result, of_backtest(result.params, run_backtest(parts, strategy, result.params, ES, COSTS)))


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_simulator_change_nothing(threads: int) -> None:
    strategy = get_strategy("rsi_reversion")
    sets = search_space(strategy.parse({}), seed=4, size=5)
    engine = sweep(windows(), strategy, sets, ES, COSTS, simulator=Simulator.ENGINE, threads=threads)
    for left, right in zip(sweep(windows(), strategy, sets, ES, COSTS, threads=threads), engine, strict=True):
        assert_same(left, right)


def test_decisions_that_say_more_than_the_kernel_knows_go_through_the_engine() -> None:
    @dataclass(frozen=True, slots=True, eq=False)
    class Sized(Decisions):
        contracts: int = 1

    def sized(view: MarketView) -> Decisions:
        return Sized(honest(view))

    (result,) = sweep(windows(), Faulty(sized), (NoParams(),), ES, COSTS)
    (plain,) = sweep(windows(), Faulty(honest), (NoParams(),), ES, COSTS)
    assert (result.simulator, plain.simulator) == (Simulator.ENGINE, Simulator.KERNEL)
    assert_same(result, plain)


def test_a_strategy_that_raises_for_one_set_fails_the_sweep_with_its_error() -> None:
    def breaks(view: MarketView) -> Decisions:
        raise ZeroDivisionError

    with pytest.raises(GantryError) as caught:
        sweep(windows(), Faulty(breaks), (NoParams(),), ES, COSTS)
    assert caught.value.code is ErrorCode.STRATEGY_ERROR


def test_without_bars_there_is_nothing_to_sweep() -> None:
    with pytest.raises(GantryError) as caught:
        sweep((), get_strategy("sma_cross"), (), ES, COSTS)
    assert caught.value.code is ErrorCode.DATA_UNAVAILABLE
