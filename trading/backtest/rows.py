"""From bars and decisions to vectorbt's rows: only those in which an order can be filled, in the order it would be.

A row is one step of vectorbt's simulation. Without brackets nothing can fill but at an open at which a
decision is due: one row each. With brackets a bar [O, H, L] is one row, preceded by

- a decision row where one is due: the price is the open, and open, high, low and close are NaN, so that vectorbt
  checks no stop there: the order fills first (paragraph 3 of the convention);
- a row [O, O, O] where the bar is so wide that it might open beyond the target and yet reach the stop: vectorbt
  looks at the stop of a row first, the convention at the open first (paragraph 4).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trading.bars.schema import FloatArray, IntArray
from trading.bars.series import Window
from trading.strategies.base import Decisions


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """What is due at the open of each of T bars: int8[T] decision, int64[T] distances of its bracket (0 = none)."""

    decision: NDArray[np.int8]
    stop: IntArray
    target: IntArray
    has_brackets: bool


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """R rows of one segment. bar: int64[R], the bar of each row. decided: int64[D], the rows with a decision.

    open, high, low: float64[R] in ticks above `offset`, NaN in decision rows; None where there are no brackets.
    """

    bar: IntArray
    decided: IntArray
    open: FloatArray | None
    high: FloatArray | None
    low: FloatArray | None


def due_at_opens(decisions: Decisions) -> Due:
    """Shift decisions by one bar: what bar i-1 decided is due at bar i's open."""
    size = len(decisions.target)
    decision = np.zeros(size, dtype=np.int8)
    decision[1:] = decisions.target[:-1]
    stop, target = (_shifted(ticks, size) for ticks in (decisions.stop_ticks, decisions.target_ticks))
    entered = np.abs(decision) == 1
    return Due(decision, stop, target, bool((stop[entered] > 0).any() or (target[entered] > 0).any()))


def _shifted(ticks: IntArray | None, size: int) -> IntArray:
    shifted = np.zeros(size, dtype=np.int64)
    if ticks is not None:
        shifted[1:] = ticks[:-1]
    return shifted


def rows_of(window: Window, due: Due, start: int, stop: int, *, offset: int) -> Rows:
    """Return the rows of bars [start, stop)."""
    decided_bars = start + np.flatnonzero(due.decision[start:stop])
    if not due.has_brackets:
        return Rows(decided_bars, np.arange(len(decided_bars)), None, None, None)
    reach = np.int64(_narrowest_bracket(due))
    bar, decided, row_open, row_high, row_low = _bracket_rows(
        window.open_ticks[start:stop],
        window.high_ticks[start:stop],
        window.low_ticks[start:stop],
        due.decision[start:stop],
        reach,
        offset,
    )
    return Rows(bar + start, decided, row_open, row_high, row_low)


def _narrowest_bracket(due: Due) -> int:
    """Smallest distance in ticks from a stop to its target, over all entries: narrower bars can't reach both."""
    both = (due.stop > 0) & (due.target > 0)
    return int((due.stop[both] + due.target[both]).min()) if both.any() else np.iinfo(np.int64).max


@njit(cache=True, nogil=True)
def _bracket_rows(opens, highs, lows, decision, reach, offset):  # type: ignore[no-untyped-def] # pragma: no cover
    count, decided_count = 0, 0
    for i in range(len(opens)):
        count += 1
        if decision[i] != 0:
            count += 1
            decided_count += 1
        if opens[i] - lows[i] >= reach or highs[i] - opens[i] >= reach:
            count += 1
    bar = np.empty(count, np.int64)
    decided = np.empty(decided_count, np.int64)
    row_open, row_high, row_low = np.empty(count), np.empty(count), np.empty(count)
    row, at = 0, 0
    for i in range(len(opens)):
        if decision[i] != 0:
            row_open[row] = row_high[row] = row_low[row] = np.nan
            bar[row] = i
            decided[at] = row
            at += 1
            row += 1
        if opens[i] - lows[i] >= reach or highs[i] - opens[i] >= reach:
            row_open[row] = row_high[row] = row_low[row] = opens[i] + offset
            bar[row] = i
            row += 1
        row_open[row], row_high[row], row_low[row] = opens[i] + offset, highs[i] + offset, lows[i] + offset
        bar[row] = i
        row += 1
    return bar, decided, row_open, row_high, row_low
