"""From bars and decisions to vectorbt's rows: only those in which an order can be filled, in the order it would be.

A row is one step of vectorbt's simulation. Without brackets nothing can fill but at an open at which a
decision is due: one row each. With brackets a bar [O, H, L] is one row, preceded by

- a decision row where one is due: the price is the open, and open, high, low and close are NaN, so that vectorbt
  checks no stop there: the order fills first (paragraph 3 of the convention);
- a row [O, O, O] where the bar is so wide that it might open beyond the target and yet reach the stop: vectorbt
  looks at the stop of a row first, the convention at the open first (paragraph 4).

A bar is a row only if it touches the bracket of an entry, of any that was ever due and whose bracket no bar
touched before: whether it was taken, or ignored by a bot in the market, is vectorbt's to find out. That leaves about
a twentieth of the rows, and of vectorbt's time.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from trading.bars.schema import FloatArray, IntArray
from trading.bars.series import Window
from trading.strategies.base import FLAT, HOLD, Decisions

_NEVER: Final = 2**40  # ticks, beyond every price
_MOST_WAITING: Final = 256  # a strategy that enters at every bar: from then on every bar is a row


@dataclass(frozen=True, slots=True, eq=False)
class DueEntry:
    """D decisions due at opens, in order. bar: int64[D], the bar at whose open each fills.

    decision: int64[D] of LONG, SHORT, FLAT. stop, target: int64[D], distances of its bracket (0 = none).
    """

    bar: IntArray
    decision: IntArray
    stop: IntArray
    target: IntArray

    def __len__(self) -> int:
        return len(self.bar)

    @property
    def has_brackets(self) -> bool:
        """Whether any entry carries a stop or a target."""
        entries = self.decision != FLAT
        return bool((self.stop[entries] > 0).any() or (self.target[entries] > 0).any())

    def between(self, start: int, stop: int) -> "DueEntry":
        """Return what is due at the opens of bars [start, stop)."""
        part = slice(*np.searchsorted(self.bar, (start, stop)))
        return DueEntry(self.bar[part], self.decision[part], self.stop[part], self.target[part])

    def starting_with(self, bar: int, decision: int, stop: int, target: int) -> "DueEntry":
        """Return these, but at `bar`, the first possible one, this decision; HOLD only removes what was due there."""
        rest = self.between(bar + 1, np.iinfo(np.int64).max)
        if decision == HOLD:
            return rest
        first = (np.array([value], dtype=np.int64) for value in (bar, decision, stop, target))
        return DueEntry(*map(_chained, first, (rest.bar, rest.decision, rest.stop, rest.target)))


@dataclass(frozen=True, slots=True, eq=False)
class EngineRows:
    """R rows of one segment. bar: int64[R], the bar of each row. decided: int64[D], the rows with a decision.

    open, high, low: float64[R] in ticks above `offset`, NaN in decision rows; None where there are no brackets.
    """

    bar: IntArray
    decided: IntArray
    open: FloatArray | None
    high: FloatArray | None
    low: FloatArray | None


def due_at_opens(decisions: Decisions) -> DueEntry:
    """Shift decisions by one bar: what bar i-1 decided is due at bar i's open; the last bar's decision never is."""
    decided = np.flatnonzero(decisions.target[:-1] != HOLD)

    def distance(ticks: IntArray | None) -> IntArray:
        return np.zeros(len(decided), dtype=np.int64) if ticks is None else ticks[decided]

    return DueEntry(
        decided + 1,
        decisions.target[decided].astype(np.int64),
        distance(decisions.stop_ticks),
        distance(decisions.target_ticks),
    )


def rows_of(window: Window, due: DueEntry, start: int, stop: int, *, offset: int, slip: int) -> EngineRows:
    """Return the rows of bars [start, stop), to which everything in `due` belongs."""
    if not due.has_brackets:
        return EngineRows(due.bar, np.arange(len(due)), None, None, None)
    bar, decided, row_open, row_high, row_low = _bracket_rows(
        window.open_ticks[start:stop],
        window.high_ticks[start:stop],
        window.low_ticks[start:stop],
        due.bar - start,
        *_levels(due, window.open_ticks[due.bar], slip),
        _narrowest_bracket(due),
        offset,
    )
    return EngineRows(bar + start, decided, row_open, row_high, row_low)


class _Levels(NamedTuple):
    """Prices in ticks, int64[D], that end each entry: at or below `lower`, at or above `upper`; beyond all: never."""

    lower: IntArray
    upper: IntArray


def _levels(due: DueEntry, opens: IntArray, slip: int) -> _Levels:
    """Return the brackets of the entries as if each were taken."""
    side = np.where(due.decision == FLAT, 0, due.decision)
    fill = opens + side * slip
    down, up = np.where(side > 0, due.stop, due.target), np.where(side > 0, due.target, due.stop)
    return _Levels(
        np.where((side != 0) & (down > 0), fill - down, -_NEVER), np.where((side != 0) & (up > 0), fill + up, _NEVER)
    )


def _narrowest_bracket(due: DueEntry) -> int:
    """Smallest distance in ticks from a stop to its target, over all entries: narrower bars can't reach both."""
    both = (due.stop > 0) & (due.target > 0)
    return int((due.stop[both] + due.target[both]).min()) if both.any() else int(np.iinfo(np.int64).max)


def _chained(first: IntArray, rest: IntArray) -> IntArray:
    return np.concatenate((first, rest))


@njit(cache=True, nogil=True)
def _bracket_rows(opens, highs, lows, due_bars, lower, upper, reach, offset):  # type: ignore[no-untyped-def] # pragma: no cover
    most = 2 * len(opens) + len(due_bars)  # only the pages written to are ever in memory
    bar, decided = np.empty(most, np.int64), np.empty(len(due_bars), np.int64)
    row_open, row_high, row_low = np.empty(most), np.empty(most), np.empty(most)
    waiting = np.empty(_MOST_WAITING, np.int64)  # entries whose bracket was not touched yet
    row, at, count, floor, ceiling, every_bar = 0, 0, 0, -_NEVER, _NEVER, False
    for i in range(due_bars[0], len(opens)):
        high, low = highs[i], lows[i]
        if at < len(due_bars) and due_bars[at] == i:
            row_open[row] = row_high[row] = row_low[row] = np.nan
            bar[row] = i
            decided[at] = row
            row += 1
            if lower[at] > -_NEVER or upper[at] < _NEVER:
                every_bar = every_bar or count == _MOST_WAITING
                if not every_bar:
                    waiting[count] = at
                    count += 1
                    floor, ceiling = max(floor, lower[at]), min(ceiling, upper[at])
            at += 1
        if high < ceiling and low > floor and not every_bar:
            continue
        kept, floor, ceiling = 0, -_NEVER, _NEVER
        for k in waiting[:count]:
            if high < upper[k] and low > lower[k]:
                waiting[kept] = k
                kept += 1
                floor, ceiling = max(floor, lower[k]), min(ceiling, upper[k])
        count = kept
        if opens[i] - low >= reach or high - opens[i] >= reach:
            row_open[row] = row_high[row] = row_low[row] = opens[i] + offset
            bar[row] = i
            row += 1
        row_open[row], row_high[row], row_low[row] = opens[i] + offset, high + offset, low + offset
        bar[row] = i
        row += 1
    return bar[:row], decided, row_open[:row], row_high[:row], row_low[:row]
