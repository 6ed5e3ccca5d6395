"""Random entries on simulated bars, and how far their results are from a fair game, in ticks, before costs.

Where one bar touches both stop and target, the engine takes the stop. The walk behind simulated bars tells which came
first: in that order a bracket is a fair game, and the engine's rule costs the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from integrations.simulator.months import MonthWalk, simulate_month, walk_of
from trading.backtest.engine import simulate
from trading.backtest.types import BacktestResult, Costs, ExitReason
from trading.bars.front import windows
from trading.bars.months import concatenate
from trading.bars.schema import FloatArray, IntArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.base import FLAT, HOLD, Decisions

FREE = Costs(0, Decimal(0))
BRACKETS = ((4, 78), (4, 20), (10, 40), (20, 32), (40, 40), (80, 20))
HOLDS = (1, 5, 30, 240)
_SIDE = {1: "long", -1: "short"}


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Simulated months of one instrument as one window, and the walks behind them."""

    instrument: Instrument
    window: Window
    walks: tuple[MonthWalk, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """Trades of one rule on one side; at least one.

    won: gross ticks, as the engine fills. ruled: ticks that the engine's rule cost. days: float64[D], ticks won each
    day plus what the rule cost.
    """

    name: str
    trades: int
    won: float
    ruled: float
    days: FloatArray

    @property
    def mean(self) -> float:
        """Gross ticks a trade."""
        return self.won / self.trades

    @property
    def rule(self) -> float:
        """Ticks a trade that the engine's rule cost."""
        return self.ruled / self.trades

    @property
    def error(self) -> float:
        """Standard error of mean + rule."""
        return float(np.sqrt((self.days**2).sum())) / self.trades

    @property
    def z(self) -> float:
        """Standard errors above a fair game."""
        return (self.mean + self.rule) / self.error


def ground_of(instrument: Instrument, months: Sequence[str], seed: int) -> Ground:
    """Return the months' bars as one window."""
    (window,) = windows(concatenate([simulate_month(instrument, month, seed) for month in months]), instrument)
    return Ground(instrument, window, tuple(walk_of(instrument, month, seed) for month in months))


def bracket_cell(ground: Ground, side: int, stop: int, target: int, *, seed: int) -> Cell:
    """Enter at random when flat, leave by the bracket alone."""
    size = len(ground.window)
    drawn = np.random.default_rng([seed, stop, target, side + 1]).random(size) < 0.5
    decisions = Decisions(np.where(drawn, side, HOLD).astype(np.int8), np.full(size, stop), np.full(size, target), True)
    result = simulate(ground.window, decisions, ground.instrument, FREE, is_last_window=True)
    costs = _rule_costs(ground, result, side, stop, target)
    return _cell(f"{_SIDE[side]} {stop}/{target}", ground, result, costs)


def timed_cell(ground: Ground, side: int, bars: int, *, seed: int) -> Cell:
    """Enter at random, leave after `bars` bars."""
    size = len(ground.window)
    target = np.zeros(size, np.int8)
    pauses = np.random.default_rng([seed, bars, side + 1]).integers(1, 4, size)
    entries = np.cumsum(pauses + bars)
    entries = entries[entries + bars < size]
    target[entries], target[entries + bars] = side, FLAT
    result = simulate(ground.window, Decisions(target), ground.instrument, FREE, is_last_window=True)
    costs = np.zeros(len(result.trades), np.int64)
    return _cell(f"{_SIDE[side]} {bars} bars", ground, result, costs)


def pooled(name: str, cells: Sequence[Cell]) -> Cell:
    """Return cells of one ground as one."""
    return Cell(
        name,
        sum(cell.trades for cell in cells),
        sum(cell.won for cell in cells),
        sum(cell.ruled for cell in cells),
        np.sum([cell.days for cell in cells], axis=0),
    )


def _cell(name: str, ground: Ground, result: BacktestResult, costs: IntArray) -> Cell:
    ends = np.append(np.flatnonzero(np.diff(result.session)), len(result.session) - 1)
    days = np.diff(result.equity_e4[ends], prepend=0) / ground.instrument.tick_value_e4
    won = float(days.sum())
    np.add.at(days, np.searchsorted(ends, result.trades.exit_bar), costs)
    return Cell(name, len(result.trades), won, float(costs.sum()), days)


def _rule_costs(ground: Ground, result: BacktestResult, side: int, stop: int, target: int) -> IntArray:
    """Return int64[N]: ticks each trade lost because its stop was taken although its target came first."""
    trades, window = result.trades, ground.window
    best = window.high_ticks[trades.exit_bar] if side > 0 else -window.low_ticks[trades.exit_bar]
    stopped = (trades.reason == ExitReason.STOP) & (trades.exit_ticks == trades.entry_ticks - side * stop)
    both = stopped & (best >= side * trades.entry_ticks + target)
    costs = np.zeros(len(trades), np.int64)
    for trade in np.flatnonzero(both).tolist():
        bar, entry = int(trades.exit_bar[trade]), int(trades.entry_ticks[trade])
        path = (path_of(ground, bar) - entry) * side
        if np.argmax(path >= target) < np.argmax(path <= -stop):
            costs[trade] = stop + target
    return costs


def path_of(ground: Ground, bar: int) -> IntArray:
    """Return each price of a bar in order, from its open to its close, in ticks."""
    before = 0
    for walk in ground.walks:
        at = bar - before
        if at < len(walk.walked.open):
            break
        before += len(walk.walked.open)
    taken = np.arange(walk.walked.opened_at[at], walk.walked.closed_at[at])
    bits = walk.steps[taken >> 6] >> (taken & 63).astype(np.uint64) & np.uint64(1)
    moves = np.concatenate(([0], np.cumsum(2 * bits.astype(np.int64) - 1)))
    path: IntArray = ground.window.open_ticks[bar] + moves
    return path
