"""Fold vectorbt's fills into round trips, and round trips into equity, in integer ticks.

Done here because vectorbt's own readable records and statistics take 0.1 to 1.8 s a bot, and because stop exits
are slipped only now (vectorbt can't slip a stop and leave a target alone).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit

from core.errors import ErrorCode, GantryError, Kind
from trading.backtest.orders import Orders
from trading.backtest.rows import DueEntry, EngineRows
from trading.backtest.types import ExitReason
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.strategies.base import FLAT

_STOP: Final = int(ExitReason.STOP)
_TARGET: Final = int(ExitReason.TARGET)
_REVERSAL: Final = int(ExitReason.REVERSAL)
_FLATTEN: Final = int(ExitReason.FLATTEN)
_WINDOW_END: Final = int(ExitReason.WINDOW_END)
_WHOLE_TICK: Final = 0.26  # a stop's fill is a quarter of a tick inside (see orders); all others are whole


@dataclass(frozen=True, slots=True)
class Held:
    """An open position: side 0 when flat; entry in ticks, slipped; the distances of its bracket."""

    side: int = 0
    entry_bar: int = 0
    entry_ticks: int = 0
    stop: int = 0
    target: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """Round trips, int64[N, 6] as `trade_table.TradeRow`, and what is held after the last fill."""

    table: IntArray
    held: Held


def fold_orders(
    orders: Orders, rows: EngineRows, due: DueEntry, *, offset: int, contracts: int, slip: int, closing_bar: int
) -> Folded:
    """Return the trades of one segment; FLAT at `closing_bar` is the window's end (-1 where there is none).

    Raises:
        GantryError: INTERNAL when a fill isn't of the size or on the tick it must be: nothing is approximated.

    """
    ticks = np.rint(orders.price)
    sizes = np.rint(orders.size / contracts)
    if (np.abs(orders.price - ticks) > _WHOLE_TICK).any() or (sizes * contracts != orders.size).any():
        raise _defect("a fill is off the tick grid or partial")
    at = np.minimum(np.searchsorted(rows.decided, orders.row), len(due) - 1)
    fills = np.column_stack(
        (
            rows.bar[orders.row],
            rows.decided[at] == orders.row,
            ticks.astype(np.int64) - offset,
            np.where(orders.bought, 1, -1) * sizes.astype(np.int64),
            due.decision[at],
            due.stop[at],
            due.target[at],
        )
    )
    table, held, sound = _fold(fills, slip, closing_bar)
    if not sound:
        raise _defect("a fill contradicts the position")
    return Folded(table, Held(*(int(value) for value in held)))


def equity_of(window: Window, table: IntArray, held: Held, *, value_e4: int, fee_e4: int) -> IntArray:
    """Return int64[T], profit since start at each close; value_e4 and fee_e4 are for the whole position."""
    equity: IntArray = _equity(window.close_ticks, table, held.side, held.entry_bar, held.entry_ticks, value_e4, fee_e4)
    return equity


def _defect(what: str) -> GantryError:
    return GantryError(
        ErrorCode.INTERNAL,
        f"vectorbt left the convention: {what}.",
        fix="Run `make test`; pin the vectorbt version of requirements.lock.",
        kind=Kind.INTERNAL,
    )


@njit(cache=True, nogil=True)
def _fold(fills, slip, closing_bar):  # type: ignore[no-untyped-def] # pragma: no cover
    table = np.empty((len(fills), 6), np.int64)
    count, position, entry_bar, entry, stop, target = 0, 0, 0, 0, 0, 0
    sound = True
    for k in range(len(fills)):
        bar, decided, ticks, signed = fills[k, 0], fills[k, 1], fills[k, 2], fills[k, 3]
        after = position + signed
        if after < -1 or after > 1 or (decided == 0 and after != 0):
            sound = False
            break
        if position != 0:
            leave = ticks
            if decided:
                reason = _REVERSAL
                if fills[k, 4] == FLAT:
                    reason = _WINDOW_END if bar == closing_bar else _FLATTEN
            elif stop > 0 and (ticks - entry) * position <= -stop:
                reason = _STOP
                leave -= position * slip
            else:
                reason = _TARGET
            table[count, 0], table[count, 1], table[count, 2] = position, entry_bar, bar
            table[count, 3], table[count, 4], table[count, 5] = entry, leave, reason
            count += 1
        if after != 0:
            entry_bar, entry, stop, target = bar, ticks, fills[k, 5], fills[k, 6]
        position = after
    return table[:count].copy(), (position, entry_bar, entry, stop, target), sound


@njit(cache=True, nogil=True)
def _equity(close, table, held_side, held_bar, held_entry, value_e4, fee_e4):  # type: ignore[no-untyped-def] # pragma: no cover
    equity = np.empty(len(close), np.int64)
    realized, bar = 0, 0
    for k in range(len(table) + 1):
        if k < len(table):
            side, first, past, entry = table[k, 0], table[k, 1], table[k, 2], table[k, 3]
        elif held_side != 0:
            side, first, past, entry = held_side, held_bar, len(close), held_entry
        else:
            side, first, past, entry = 0, len(close), len(close), 0
        for i in range(bar, first):
            equity[i] = realized
        for i in range(first, past):
            equity[i] = realized - fee_e4 + (close[i] - entry) * side * value_e4
        bar = past
        if k < len(table):
            realized += (table[k, 4] - entry) * side * value_e4 - 2 * fee_e4
    return equity
