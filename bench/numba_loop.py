"""The convention as one plain numba loop over precomputed decisions, without rolls: the speed to be compared with.

Unfused: decisions are computed first, as an array, by the strategy itself.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from trading.backtest.types import Costs
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.base import FLAT, HOLD, Decisions


class LoopResult(NamedTuple):
    """Round trips, int64[N, 5] of side, bars and ticks, and int64[T] equity in ten-thousandths of a dollar."""

    trades: IntArray
    equity_e4: IntArray


def simulate(window: Window, decisions: Decisions, instrument: Instrument, costs: Costs) -> LoopResult:
    """Run one window to the end."""
    nothing = np.zeros(1, dtype=np.int64)
    stops, targets = decisions.stop_ticks, decisions.target_ticks
    table, equity = _loop(
        window.open_ticks,
        window.high_ticks,
        window.low_ticks,
        window.close_ticks,
        decisions.target,
        nothing if stops is None else stops,
        nothing if targets is None else targets,
        (
            decisions.entries_only_when_flat,
            costs.slippage_ticks,
            instrument.tick_value_e4 * costs.contracts,
            costs.commission_e4 * costs.contracts,
        ),
    )
    return LoopResult(table, equity)


@njit(cache=True, nogil=True)
def _loop(opens, highs, lows, closes, decided, stops, targets, rules):  # type: ignore[no-untyped-def] # noqa: C901
    only_flat, slip, value, fee = rules
    equity = np.empty(len(opens), np.int64)
    table = np.empty((len(opens), 5), np.int64)
    count, side, since, entry, stop, target, realized = 0, 0, 0, 0, 0, 0, 0
    for i in range(len(opens)):
        due = decided[i - 1] if i else HOLD
        if due != HOLD and not (side != 0 and due != FLAT and (due == side or only_flat)):
            if side != 0:
                leave = opens[i] - side * slip
                table[count] = (side, since, i, entry, leave)
                count += 1
                realized += (leave - entry) * side * value - fee
                side = 0
            if due != FLAT:
                side, since, entry = due, i, opens[i] + due * slip
                stop = stops[i - 1] if len(stops) > 1 else 0
                target = targets[i - 1] if len(targets) > 1 else 0
                realized -= fee
        if side != 0 and (stop > 0 or target > 0):
            worst = (lows[i] if side > 0 else highs[i]) * side
            best = (highs[i] if side > 0 else lows[i]) * side
            opened, at_stop, at_target = opens[i] * side, entry * side - stop, entry * side + target
            hit, leave = True, 0
            if stop > 0 and opened <= at_stop:
                leave = (opened - slip) * side
            elif target > 0 and opened >= at_target:
                leave = opened * side
            elif stop > 0 and worst <= at_stop:
                leave = (at_stop - slip) * side
            elif target > 0 and best >= at_target:
                leave = at_target * side
            else:
                hit = False
            if hit:
                table[count] = (side, since, i, entry, leave)
                count += 1
                realized += (leave - entry) * side * value - fee
                side = 0
        equity[i] = realized + (closes[i] - entry) * side * value
    return table[:count].copy(), equity
