"""The convention, executable: an integer-tick simulator in one plain loop, against which every other is held.

Slow (about a microsecond a bar and more) and obvious on purpose. See `trading.backtest.convention` for the rules; the
numbers in the comments are its paragraphs.
"""

from dataclasses import dataclass, field

import numpy as np

from trading.backtest.convention import check_costs, check_decisions
from trading.backtest.trade_table import TradeRow, trades_from_rows
from trading.backtest.types import BacktestResult, Costs, ExitReason, OpenPosition
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.base import FLAT, HOLD, LONG, SHORT, Decisions


@dataclass(slots=True)
class _Book:
    """The state of one simulation: the position, its bracket and what was realized."""

    window: Window
    slip: int
    value_e4: int  # of one tick for the whole position
    fee_e4: int  # of one side for the whole position
    side: int = 0
    entry_bar: int = 0
    entry: int = 0
    stop: int = 0
    target: int = 0
    realized_e4: int = 0
    rows: list[TradeRow] = field(default_factory=list)

    def enter(self, bar: int, side: int, stop: int, target: int) -> None:
        self.side, self.entry_bar, self.stop, self.target = side, bar, stop, target
        self.entry = int(self.window.open_ticks[bar]) + side * self.slip
        self.realized_e4 -= self.fee_e4

    def leave(self, bar: int, ticks: int, reason: ExitReason) -> None:
        self.rows.append(TradeRow(self.side, self.entry_bar, bar, self.entry, ticks, reason))
        self.realized_e4 += (ticks - self.entry) * self.side * self.value_e4 - self.fee_e4
        self.side = 0

    def equity_e4(self, close: int) -> int:
        return self.realized_e4 + (close - self.entry) * self.side * self.value_e4 if self.side else self.realized_e4


def simulate(
    window: Window, decisions: Decisions, instrument: Instrument, costs: Costs, *, is_last_window: bool
) -> BacktestResult:
    """Run one window through the convention.

    Raises:
        GantryError: STRATEGY_ERROR for impossible decisions, VALIDATION_FAILED for impossible costs.

    """
    check_costs(costs)
    check_decisions(decisions, window)
    book = _Book(
        window,
        costs.slippage_ticks,
        instrument.tick_value_e4 * costs.contracts,
        costs.commission_e4 * costs.contracts,
    )
    old_exits = {roll.index: roll.old_exit_ticks for roll in window.rolls}
    equity = np.zeros(len(window), dtype=np.int64)
    for bar in range(len(window)):
        if bar:
            closing = not is_last_window and bar == len(window) - 1
            _open_phase(book, decisions, bar, old_exit=old_exits.get(bar), closing=closing)
        if book.side:
            _bracket_phase(book, bar)
        equity[bar] = book.equity_e4(int(window.close_ticks[bar]))
    return BacktestResult(
        trades=trades_from_rows(book.rows, window, instrument, costs),
        ts=window.bars.ts,
        session=window.session,
        equity_e4=equity,
        open_position=_open_position(book, costs) if book.side else None,
        engine="oracle",
    )


def _open_phase(book: _Book, decisions: Decisions, bar: int, *, old_exit: int | None, closing: bool) -> None:
    """Fill what was decided at the previous close (1, 2, 3), roll (6), close the window (7)."""
    due, stop, target = _due(decisions, bar)
    if book.side and due in (LONG, SHORT) and (due == book.side or decisions.entries_only_when_flat):
        due = HOLD
    open_ticks = int(book.window.open_ticks[bar])
    reopen = 0
    if book.side:
        side, exit_ticks = book.side, (open_ticks if old_exit is None else old_exit) - book.side * book.slip
        if closing:
            book.leave(bar, exit_ticks, ExitReason.WINDOW_END)
        elif due == FLAT:
            book.leave(bar, exit_ticks, ExitReason.FLATTEN)
        elif due in (LONG, SHORT):
            book.leave(bar, exit_ticks, ExitReason.REVERSAL)
        elif old_exit is not None:
            reopen, stop, target = side, book.stop, book.target
            book.leave(bar, exit_ticks, ExitReason.ROLL)
    if closing:
        return
    if due in (LONG, SHORT):
        book.enter(bar, due, stop, target)
    elif reopen:
        book.enter(bar, reopen, stop, target)


def _due(decisions: Decisions, bar: int) -> tuple[int, int, int]:
    """Decision, stop and target distance of the previous bar."""
    stops, targets = decisions.stop_ticks, decisions.target_ticks
    return (
        int(decisions.target[bar - 1]),
        0 if stops is None else int(stops[bar - 1]),
        0 if targets is None else int(targets[bar - 1]),
    )


def _bracket_phase(book: _Book, bar: int) -> None:
    """Stop and target within the bar (4); mirrored for a short so that one set of comparisons serves both."""
    side, window = book.side, book.window
    opened = int(window.open_ticks[bar]) * side
    worst = int(window.low_ticks[bar] if side > 0 else window.high_ticks[bar]) * side
    best = int(window.high_ticks[bar] if side > 0 else window.low_ticks[bar]) * side
    stop = book.entry * side - book.stop
    target = book.entry * side + book.target
    if book.stop and opened <= stop:
        book.leave(bar, (opened - book.slip) * side, ExitReason.STOP)
    elif book.target and opened >= target:
        book.leave(bar, opened * side, ExitReason.TARGET)
    elif book.stop and worst <= stop:
        book.leave(bar, (stop - book.slip) * side, ExitReason.STOP)
    elif book.target and best >= target:
        book.leave(bar, target * side, ExitReason.TARGET)


def _open_position(book: _Book, costs: Costs) -> OpenPosition:
    bars, last = book.window.bars, len(book.window) - 1
    gross = (int(book.window.close_ticks[last]) - book.entry) * book.side * book.value_e4
    return OpenPosition(
        side=book.side,
        qty=costs.contracts,
        entry_ns=int(bars.ts[book.entry_bar]),
        entry_ticks=book.entry,
        contract=bars.contracts[int(bars.contract[book.entry_bar])],
        unrealized_e4=gross - book.fee_e4,
    )
