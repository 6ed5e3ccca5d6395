"""Values that go into and come out of a backtest, whichever simulator ran it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trading.bars.schema import IntArray
from trading.instruments import Instrument

STARTING_CAPITAL_USD: Final = Decimal(50_000)
E4: Final = 10_000  # money inside is int64 ten-thousandths of a dollar, exact for every tick value


class ExitReason(IntEnum):
    """Why a trade ended; the names are what the outside sees."""

    SIGNAL = 1
    REVERSAL = 2
    STOP = 3
    TARGET = 4
    FLATTEN = 5  # the strategy's own session flatten, or a FLAT decision
    ROLL = 6
    WINDOW_END = 7


@dataclass(frozen=True, slots=True)
class Costs:
    """slippage_ticks: against the trader on every market and stop fill. commission_usd: per contract and side."""

    slippage_ticks: int
    commission_usd: Decimal
    contracts: int = 1

    @property
    def commission_e4(self) -> int:
        """Ten-thousandths of a dollar per contract and side."""
        return int(self.commission_usd * E4)

    @classmethod
    def default(cls, instrument: Instrument) -> "Costs":
        """One tick of slippage, the instrument's commission, one contract."""
        return cls(1, instrument.commission_usd)


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """N round trips in order of exit then entry; all arrays have length N.

    side: +1 long, -1 short. qty: contracts. entry_bar, exit_bar: index of the fill's bar in the whole run.
    entry_ns, exit_ns: that bar's open time. entry_ticks, exit_ticks: fill prices of the real contract in ticks,
    slippage included. gross_e4 = (exit - entry) x side x qty x tick value; commission_e4 = both sides';
    net_e4 = gross - commission; all int64 ten-thousandths of a dollar. reason: ExitReason.
    contract: position in the window's bars.contracts.
    """

    side: NDArray[np.int8]
    qty: NDArray[np.int32]
    entry_bar: IntArray
    exit_bar: IntArray
    entry_ns: IntArray
    exit_ns: IntArray
    entry_ticks: IntArray
    exit_ticks: IntArray
    gross_e4: IntArray
    commission_e4: IntArray
    net_e4: IntArray
    reason: NDArray[np.int8]
    contract: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.side)


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position still open at the last bar: no trade, only marked in equity.

    unrealized_e4: (last close - entry) x side x qty x tick value, less the entry's commission, so that the net of all
    trades plus this is the last equity.
    """

    side: int
    qty: int
    entry_ns: int
    entry_ticks: int
    contract: str
    unrealized_e4: int


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """Trades and equity of one run.

    equity_e4: int64[T] profit since start marked at each close (open positions at the close, entry commission
    paid), without starting capital. ts: int64[T]. session: int64[T] ordinal of the trading day.
    """

    trades: Trades
    ts: IntArray
    session: IntArray
    equity_e4: IntArray
    open_position: OpenPosition | None
    engine: str
