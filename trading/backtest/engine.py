"""The engine of record: vectorbt fills the orders, segment by segment between rolls; the fold makes money of them.

Equal to `trading.backtest.oracle` to the tick on every path the fuzz tests make. Nothing is approximated: prices
beyond what float64 holds exactly are refused, and a fill of an unexpected size or price is a defect that stops
the run.
"""

from dataclasses import dataclass

import numpy as np

from trading.backtest.convention import check_costs, check_decisions, check_prices
from trading.backtest.fold import Folded, Held, equity_of, fold_orders
from trading.backtest.orders import resolve_engine, run_orders
from trading.backtest.rows import DueEntry, due_at_opens, rows_of
from trading.backtest.trade_table import trades_from_rows
from trading.backtest.types import BacktestResult, Costs, ExitReason, OpenPosition
from trading.bars.schema import IntArray
from trading.bars.series import Roll, Window
from trading.instruments import Instrument
from trading.strategies.base import FLAT, HOLD, Decisions


def simulate(
    window: Window,
    decisions: Decisions,
    instrument: Instrument,
    costs: Costs,
    *,
    is_last_window: bool,
    engine: str = "auto",
) -> BacktestResult:
    """Run one window of T bars. engine: "rust", "numba" or "auto".

    Raises:
        GantryError: STRATEGY_ERROR for impossible decisions; VALIDATION_FAILED for impossible costs, an unknown
            engine, or prices that vectorbt can't compute exactly.

    """
    check_costs(costs)
    check_decisions(decisions, window)
    name = resolve_engine(engine)
    due = due_at_opens(decisions)
    closing_bar = -1 if is_last_window else len(window) - 1
    tables: list[IntArray] = []
    held = Held()
    for start, stop, roll in _segments(window):
        part = due.between(start, stop)
        if stop - 1 == closing_bar > 0:
            part = _closing(part, closing_bar)
        if roll is not None and held.side:
            rolled = _roll_out(held, roll, part, costs, decisions, closing_bar=closing_bar)
            tables.append(rolled.table)
            part = rolled.due
        folded = _run_segment(window, part, costs, decisions, start, stop, closing_bar=closing_bar, engine=name)
        tables.append(folded.table)
        held = folded.held
    table = np.concatenate(tables) if tables else np.empty((0, 6), dtype=np.int64)
    value_e4, fee_e4 = instrument.tick_value_e4 * costs.contracts, costs.commission_e4 * costs.contracts
    return BacktestResult(
        trades=trades_from_rows(table, window, instrument, costs),
        ts=window.bars.ts,
        session=window.session,
        equity_e4=equity_of(window, table, held, value_e4=value_e4, fee_e4=fee_e4),
        open_position=_open_position(window, held, costs, value_e4, fee_e4) if held.side else None,
        engine=name,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rolled:
    """The round trip that ends at a roll, int64[1, 6], and what is due from the roll's open on."""

    table: IntArray
    due: DueEntry


def _segments(window: Window) -> list[tuple[int, int, Roll | None]]:
    """Bars [start, stop) of one contract each, with the roll that starts them."""
    rolls: list[Roll | None] = [None, *window.rolls]
    starts = [0, *(roll.index for roll in window.rolls)]
    return list(zip(starts, [*starts[1:], len(window)], rolls, strict=True))


def _closing(due: DueEntry, bar: int) -> DueEntry:
    """At the last bar of a window that is not the last one, FLAT is due whatever was decided."""
    before = due.between(0, bar)
    last = DueEntry(*(np.array([value], dtype=np.int64) for value in (bar, FLAT, 0, 0)))
    return DueEntry(
        np.concatenate((before.bar, last.bar)),
        np.concatenate((before.decision, last.decision)),
        np.concatenate((before.stop, last.stop)),
        np.concatenate((before.target, last.target)),
    )


def _run_segment(
    window: Window,
    due: DueEntry,
    costs: Costs,
    decisions: Decisions,
    start: int,
    stop: int,
    *,
    closing_bar: int,
    engine: str,
) -> Folded:
    if not len(due):
        return Folded(np.empty((0, 6), dtype=np.int64), Held())
    slip = costs.slippage_ticks
    at_opens = window.open_ticks[due.bar]
    brackets = due.has_brackets
    lowest = int((window.low_ticks[start:stop] if brackets else at_opens).min())
    check_prices(lowest, int((window.high_ticks[start:stop] if brackets else at_opens).max()))
    # vectorbt wants prices above zero, and a fill after slippage too; the offset leaves with the fold.
    offset = max(0, slip + 1 - lowest)
    rows = rows_of(window, due, start, stop, offset=offset, slip=slip)
    orders = run_orders(
        rows,
        due,
        window.open_ticks,
        offset=offset,
        contracts=costs.contracts,
        slip=slip,
        ignore_opposite=decisions.entries_only_when_flat,
        engine=engine,
    )
    return fold_orders(orders, rows, due, offset=offset, contracts=costs.contracts, slip=slip, closing_bar=closing_bar)


def _roll_out(
    held: Held, roll: Roll, due: DueEntry, costs: Costs, decisions: Decisions, *, closing_bar: int
) -> _Rolled:
    """Close the old contract and make due, at the new one's open, what follows: the same side, another, or nothing.

    So vectorbt starts the segment flat, and anchors the bracket anew.
    """
    bar, first = roll.index, due.between(roll.index, roll.index + 1)
    decision = int(first.decision[0]) if len(first) else HOLD
    if decision == FLAT:
        reason = ExitReason.WINDOW_END if bar == closing_bar else ExitReason.FLATTEN
        due = due.starting_with(bar, HOLD, 0, 0)
    elif decision == -held.side and not decisions.entries_only_when_flat:
        reason = ExitReason.REVERSAL
    else:
        reason = ExitReason.ROLL
        due = due.starting_with(bar, held.side, held.stop, held.target)
    exit_ticks = roll.old_exit_ticks - held.side * costs.slippage_ticks
    row = (held.side, held.entry_bar, bar, held.entry_ticks, exit_ticks, int(reason))
    return _Rolled(np.array([row], dtype=np.int64), due)


def _open_position(window: Window, held: Held, costs: Costs, value_e4: int, fee_e4: int) -> OpenPosition:
    bars = window.bars
    return OpenPosition(
        side=held.side,
        qty=costs.contracts,
        entry_ns=int(bars.ts[held.entry_bar]),
        entry_ticks=held.entry_ticks,
        contract=bars.contracts[int(bars.contract[held.entry_bar])],
        unrealized_e4=(int(window.close_ticks[-1]) - held.entry_ticks) * held.side * value_e4 - fee_e4,
    )
