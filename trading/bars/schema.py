"""Bars in memory: columns of equal length T, one row a bar and contract.

A bar is OHLCV over [open_time, open_time + timeframe). Times are UTC open times in nanoseconds since 1970;
prices are float64 in price units, on the instrument's tick grid; volume is contracts traded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NS_PER_SECOND = 1_000_000_000


class Timeframe(StrEnum):
    """Bar lengths. Everything above one minute is resampled, by session, from one-minute bars."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    D1 = "1d"

    @property
    def seconds(self) -> int:
        """Length in seconds; a D1 bar is one session, whatever its length, and answers 86,400."""
        return {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "1d": 86_400}[self.value]


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars of one symbol and timeframe, T rows, sorted by (ts, contract), each pair once.

    ts: int64[T], UTC open, ns. open, high, low, close: float64[T]. volume: int64[T], contracts.
    contract: int32[T], position in `contracts`. contracts: names of the real contracts in order of
    expiry (or of appearance, for instrument ids); ("",) where the source doesn't say. Where several
    contracts share a ts the bars are per expiry and must go through `trading.bars.front` before a backtest.
    """

    symbol: str
    timeframe: Timeframe
    ts: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: IntArray
    contract: NDArray[np.int32]
    contracts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def per_expiry(self) -> bool:
        """Whether several contracts share an open time."""
        return len(self) > 1 and bool((self.ts[1:] == self.ts[:-1]).any())

    @property
    def unnamed(self) -> int:
        """How many of them name no contract."""
        return int((self.contract == self.contracts.index("")).sum()) if "" in self.contracts else 0

    def take(self, rows: slice | NDArray[np.bool_] | IntArray) -> "Bars":
        """Return those rows, in the given order."""
        return Bars(
            self.symbol,
            self.timeframe,
            self.ts[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
            self.contract[rows],
            self.contracts,
        )

    def ohlc(self) -> Iterator[FloatArray]:
        """Yield open, high, low, close."""
        yield from (self.open, self.high, self.low, self.close)
