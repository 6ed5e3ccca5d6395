"""A sweep: many parameter sets of one strategy on the same windows, each as `run_backtest` would have it.

A set costs one call of the strategy and one of the kernel, both without the GIL, so sets run on threads. A strategy
whose decisions say more than `Decisions` does (a subclass of it) is beyond the kernel and goes through the engine.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from core.errors import data_unavailable
from trading.backtest.convention import check_costs
from trading.backtest.run import decide, run_backtest
from trading.backtest.types import BacktestResult, Costs
from trading.backtest.view import market_view
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.improve.kernel import Marks, run_window
from trading.instruments import Instrument
from trading.strategies.base import Decisions, Params, Strategy

THREADS: Final = 2


class Simulator(StrEnum):
    """What fills the orders of a sweep."""

    KERNEL = "kernel"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True, eq=False)
class SetResult:
    """One parameter set on D trading days, in order; all arrays int64[D], money in ten-thousandths of a dollar.

    daily_e4: change of the marked equity. trades, wins, net_e4: of the round trips that ended that day: their number,
    those with net above 0, and their net. simulator: what filled the orders.
    """

    params: Params
    daily_e4: IntArray
    trades: IntArray
    wins: IntArray
    net_e4: IntArray
    simulator: Simulator


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What all sets share: the windows with bars, the last bar of each run of a session, and the day of each mark."""

    windows: tuple[Window, ...]
    marks: tuple[IntArray, ...]
    day_of_mark: IntArray

    @property
    def days(self) -> int:
        return int(self.day_of_mark[-1]) + 1


def sweep(
    windows: tuple[Window, ...],
    strategy: Strategy,
    sets: Sequence[Params],
    instrument: Instrument,
    costs: Costs,
    *,
    simulator: Simulator = Simulator.KERNEL,
    threads: int = THREADS,
) -> tuple[SetResult, ...]:
    """Run P parameter sets over windows in order; one result a set, in their order, whatever the threads.

    Raises:
        GantryError: DATA_UNAVAILABLE without a bar; STRATEGY_ERROR when the strategy raises or decides something
            impossible for any of the sets; VALIDATION_FAILED for impossible costs.

    """
    check_costs(costs)
    ground = _ground(windows)
    for window in ground.windows:
        market_view(window, instrument)  # once, before the threads wait for each other to build it

    def one(params: Params) -> SetResult:
        if simulator is Simulator.ENGINE:
            return _by_engine(ground, strategy, params, instrument, costs)
        return _by_kernel(ground, strategy, params, instrument, costs)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        return tuple(pool.map(one, sets))


def _ground(windows: tuple[Window, ...]) -> _Ground:
    kept = tuple(window for window in windows if len(window))
    if not kept:
        raise data_unavailable("There are no bars to run on.", fix="Import bars, or widen the window.")
    marks = tuple(_last_bars(window.session) for window in kept)
    session = np.concatenate([window.session[at] for window, at in zip(kept, marks, strict=True)])
    # A day that two windows share is one day, as in the metrics of a backtest.
    return _Ground(kept, marks, np.cumsum(np.concatenate(([False], session[1:] != session[:-1]))))


def _last_bars(session: IntArray) -> IntArray:
    return np.append(np.flatnonzero(session[1:] != session[:-1]), len(session) - 1).astype(np.int64)


def _by_kernel(ground: _Ground, strategy: Strategy, params: Params, instrument: Instrument, costs: Costs) -> SetResult:
    parts: list[Marks] = []
    profit = 0
    for window, marks in zip(ground.windows, ground.marks, strict=True):
        decisions = decide(strategy, params, market_view(window, instrument))
        if type(decisions) is not Decisions:
            return _by_engine(ground, strategy, params, instrument, costs)
        is_last = window is ground.windows[-1]
        part = run_window(window, decisions, instrument, costs, marks, is_last_window=is_last)
        parts.append(part._replace(equity_e4=part.equity_e4 + profit))
        profit = int(parts[-1].equity_e4[-1])
    equity, trades, wins, net = (np.concatenate(column) for column in zip(*parts, strict=True))
    last_mark = _last_bars(ground.day_of_mark)
    return SetResult(
        params,
        np.diff(equity[last_mark], prepend=0),
        _a_day(ground, trades),
        _a_day(ground, wins),
        _a_day(ground, net),
        Simulator.KERNEL,
    )


def _by_engine(ground: _Ground, strategy: Strategy, params: Params, instrument: Instrument, costs: Costs) -> SetResult:
    return of_backtest(params, run_backtest(ground.windows, strategy, params, instrument, costs))


def of_backtest(params: Params, result: BacktestResult) -> SetResult:
    """Return a backtest's result as a sweep would have it."""
    ends = _last_bars(result.session)
    table = np.zeros((3, len(ends)), np.int64)
    day, net = np.searchsorted(ends, result.trades.exit_bar), result.trades.net_e4
    for row, values in enumerate((np.ones_like(net), (net > 0).astype(np.int64), net)):
        np.add.at(table[row], day, values)
    daily = np.diff(result.equity_e4[ends], prepend=0)
    return SetResult(params, daily, table[0], table[1], table[2], Simulator.ENGINE)


def _a_day(ground: _Ground, values: IntArray) -> IntArray:
    total = np.zeros(ground.days, np.int64)
    np.add.at(total, ground.day_of_mark, values)
    return total
