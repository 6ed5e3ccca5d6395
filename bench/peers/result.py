"""What a peer answers, in Gantry's units."""

from dataclasses import dataclass

import numpy as np

from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.base import Decisions


@dataclass(frozen=True, slots=True, eq=False)
class PeerResult:
    """N round trips and T marks.

    trades: int64[N, 5] of side, entry bar, exit bar, entry ticks, exit ticks, in order of exit.
    equity_cents: int64[T], profit since start at each close; max_drawdown_cents: deepest fall from a peak.
    """

    trades: IntArray
    equity_cents: IntArray
    max_drawdown_cents: int


@dataclass(frozen=True, slots=True, eq=False)
class PeerTask:
    """One window without rolls, one contract. Prices for a peer are USD a contract: ticks x tick value."""

    window: Window
    decisions: Decisions
    instrument: Instrument
    slippage_ticks: int
    commission_usd: float

    @property
    def tick_usd(self) -> float:
        """USD per tick."""
        return float(self.instrument.tick_value_usd)

    def bracket(self, bar: int, side: int) -> tuple[float | None, float | None]:
        """Stop and target price of an entry decided at `bar`, from the fill at the next open; None without."""
        if bar + 1 >= len(self.window):
            return None, None
        fill = int(self.window.open_ticks[bar + 1]) + side * self.slippage_ticks
        stops, targets = self.decisions.stop_ticks, self.decisions.target_ticks
        stop = None if stops is None else (fill - side * int(stops[bar])) * self.tick_usd
        target = None if targets is None else (fill + side * int(targets[bar])) * self.tick_usd
        return stop, target


def result_of(trades: list[tuple[int, int, int, float, float]], profit_usd: list[float], tick_usd: float) -> PeerResult:
    """Round a peer's floats to ticks and cents."""
    table = np.array(
        [(side, entry, past, round(paid / tick_usd), round(got / tick_usd)) for side, entry, past, paid, got in trades],
        dtype=np.int64,
    ).reshape(-1, 5)
    equity = np.rint(np.asarray(profit_usd) * 100).astype(np.int64)
    peak = np.maximum.accumulate(np.maximum(equity, 0))
    return PeerResult(table, equity, int((peak - equity).max(initial=0)))
