"""The convention as one compiled loop on integer ticks, with rolls and windows that end: what a sweep runs.

Equal to `trading.backtest.oracle`, path by path; the numbers in the comments are the convention's paragraphs. It
keeps what a sweep judges, equity and trades at the close of each session, and no table of trades.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trading.backtest.convention import check_decisions
from trading.backtest.types import Costs
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.base import FLAT, HOLD, Decisions

_NEVER = 2**62  # ticks: a level no price reaches


class Marks(NamedTuple):
    """At M marked bars of a window, int64[M] each.

    equity_e4: profit since the window's start, marked. trades, wins: round trips closed since the mark before, and
    those of them with net above 0. net_e4: their net. All money in ten-thousandths of a dollar.
    """

    equity_e4: IntArray
    trades: IntArray
    wins: IntArray
    net_e4: IntArray


def run_window(
    window: Window, decisions: Decisions, instrument: Instrument, costs: Costs, marks: IntArray, *, is_last_window: bool
) -> Marks:
    """Simulate one window; marks: int64[M], increasing bars, the last one the window's last.

    Releases the GIL. costs must have passed `check_costs`.

    Raises:
        GantryError: STRATEGY_ERROR for impossible decisions.

    """
    check_decisions(decisions, window)
    rolls = np.array([(roll.index, roll.old_exit_ticks) for roll in window.rolls], dtype=np.int64).reshape(-1, 2)
    table = _simulate(
        np.ascontiguousarray(window.open_ticks),
        np.ascontiguousarray(window.high_ticks),
        np.ascontiguousarray(window.low_ticks),
        np.ascontiguousarray(window.close_ticks),
        np.ascontiguousarray(decisions.target),
        np.flatnonzero(decisions.target[:-1] != HOLD) + 1,
        _distances(decisions.stop_ticks),
        _distances(decisions.target_ticks),
        decisions.entries_only_when_flat,
        rolls,
        marks,
        costs.slippage_ticks,
        instrument.tick_value_e4 * costs.contracts,
        costs.commission_e4 * costs.contracts,
        is_last_window,
    )
    return Marks(*table)


def _distances(ticks: IntArray | None) -> NDArray[np.int64]:
    """Return int64[T], or int64[1] where one distance holds for every bar: no year of copies of it."""
    if ticks is None:
        return np.zeros(1, np.int64)
    one_for_all = len(ticks) > 0 and ticks.strides == (0,)
    return ticks[:1].copy() if one_for_all else np.ascontiguousarray(ticks)


@njit(cache=True, nogil=True)
def _simulate(  # type: ignore[no-untyped-def] # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 # one loop, no calls # pragma: no cover
    opens,
    highs,
    lows,
    closes,
    decided,
    due_bars,
    stops,
    takes,
    only_when_flat,
    rolls,
    marks,
    slip,
    value_e4,
    fee_e4,
    is_last,
):
    size = len(opens)
    table = np.zeros((4, len(marks)), np.int64)
    stop_step, take_step = min(1, len(stops) - 1), min(1, len(takes) - 1)
    side, entry, stop, take, realized = 0, 0, 0, 0, 0
    lower, upper = -_NEVER, _NEVER  # prices that end the position within a bar
    mark, roll, at = 0, 0, 0
    i = 0
    while i < size:
        # Nothing can happen before the next decision due, roll, mark (the last bar is one), or touch of the bracket.
        while at < len(due_bars) and due_bars[at] < i:
            at += 1
        until = marks[mark]
        if at < len(due_bars):
            until = min(until, due_bars[at])
        if roll < len(rolls):
            until = min(until, rolls[roll, 0])
        if side == 0 or (lower == -_NEVER and upper == _NEVER):
            i = until
        else:
            while i < until and lows[i] > lower and highs[i] < upper:
                i += 1
        opened, rolls_here = opens[i], roll < len(rolls) and rolls[roll, 0] == i
        closing = not is_last and i == size - 1
        due = decided[i - 1] if i > 0 else 0
        leave, into, gone = False, 0, opened  # of the open: whether to close, the side to open, the price to close at
        into_stop, into_take = 0, 0
        if i > 0:
            if side != 0 and due != FLAT and (due == side or only_when_flat):
                due = 0  # (2)
            if rolls_here:
                gone = rolls[roll, 1]  # (6)
            if due not in (0, FLAT):
                into, into_stop, into_take = due, stops[(i - 1) * stop_step], takes[(i - 1) * take_step]
            if side != 0 and (closing or due != 0 or rolls_here):
                leave = True
                if due == 0:
                    into, into_stop, into_take = side, stop, take
            if closing:
                into = 0  # (7)
        if rolls_here:
            roll += 1
        if leave:
            net = ((gone - side * slip) - entry) * side * value_e4 - 2 * fee_e4
            realized += net
            table[1, mark] += 1
            table[2, mark] += net > 0
            table[3, mark] += net
            side = 0
        if into != 0:
            side, entry, stop, take = into, opened + into * slip, into_stop, into_take  # (1)
            below, above = (stop, take) if side > 0 else (take, stop)
            lower = entry - below if below > 0 else -_NEVER
            upper = entry + above if above > 0 else _NEVER
        if side != 0 and (lows[i] <= lower or highs[i] >= upper):
            # (4), mirrored for a short so that one set of comparisons serves both.
            start = opened * side
            worst = (lows[i] if side > 0 else highs[i]) * side
            stop_at, take_at = entry * side - stop, entry * side + take
            if stop > 0 and start <= stop_at:
                got = start - slip
            elif take > 0 and start >= take_at:
                got = start
            elif stop > 0 and worst <= stop_at:
                got = stop_at - slip
            else:
                got = take_at
            net = (got - entry * side) * value_e4 - 2 * fee_e4
            realized += net
            table[1, mark] += 1
            table[2, mark] += net > 0
            table[3, mark] += net
            side = 0
        if i == marks[mark]:
            table[0, mark] = realized
            if side != 0:
                table[0, mark] += (closes[i] - entry) * side * value_e4 - fee_e4  # (10)
            mark += 1
        i += 1
        if mark == len(marks):
            break
    return table
