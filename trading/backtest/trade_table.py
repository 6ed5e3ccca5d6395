"""Round trips as a table: from (side, bars, ticks, reason) to money, the same for every simulator."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.backtest.types import Costs, ExitReason, Trades
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.instruments import Instrument


class TradeRow(NamedTuple):
    """One round trip: bars are indices in the window, ticks the fill prices with slippage."""

    side: int
    entry_bar: int
    exit_bar: int
    entry_ticks: int
    exit_ticks: int
    reason: ExitReason


def trades_from_rows(
    rows: Sequence[TradeRow] | NDArray[np.int64], window: Window, instrument: Instrument, costs: Costs
) -> Trades:
    """Return the trades of one window from N rows (int64[N, 6] in the order of `TradeRow`)."""
    table: IntArray = np.asarray(rows, dtype=np.int64).reshape(-1, 6)
    side, entry_bar, exit_bar, entry_ticks, exit_ticks, reason = (np.ascontiguousarray(column) for column in table.T)
    gross = (exit_ticks - entry_ticks) * side * (instrument.tick_value_e4 * costs.contracts)
    commission = np.full(len(table), 2 * costs.commission_e4 * costs.contracts, dtype=np.int64)
    return Trades(
        side=side.astype(np.int8),
        qty=np.full(len(table), costs.contracts, dtype=np.int32),
        entry_bar=entry_bar,
        exit_bar=exit_bar,
        entry_ns=window.bars.ts[entry_bar],
        exit_ns=window.bars.ts[exit_bar],
        entry_ticks=entry_ticks,
        exit_ticks=exit_ticks,
        gross_e4=gross,
        commission_e4=commission,
        net_e4=gross - commission,
        reason=reason.astype(np.int8),
        contract=window.bars.contract[entry_bar].astype(np.int32),
    )
