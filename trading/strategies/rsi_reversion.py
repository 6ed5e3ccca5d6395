"""Reversion: Wilder's relative strength index leaves its band."""

from dataclasses import dataclass

import numpy as np

from core.errors import FieldProblem
from trading.strategies.base import Decisions, MarketView, Params, Strategy, param


@dataclass(frozen=True, slots=True)
class RsiReversionParams(Params):
    """Parameters of `RsiReversion`."""

    period: int = param(14, low=2, high=500, unit="bars", doc="Changes in Wilder's averages.")
    lower: float = param(30.0, low=0.0, high=100.0, unit="RSI points", doc="Below it is oversold; below upper.")
    upper: float = param(70.0, low=0.0, high=100.0, unit="RSI points", doc="Above it is overbought.")
    stop_ticks: int = param(20, low=1, high=100_000, unit="ticks", doc="Stop-loss, from the fill.")
    target_ticks: int = param(32, low=1, high=100_000, unit="ticks", doc="Take-profit, from the fill.")

    def problems(self) -> list[FieldProblem]:
        """Add: lower is below upper."""
        found = Params.problems(self)
        if not found and self.lower >= self.upper:
            found.append(FieldProblem("lower", "order", "lower must be below upper."))
        return found


class RsiReversion(Strategy):
    """Fades a move when it becomes extreme.

    LONG when rsi[i] < lower and rsi[i-1] >= lower; SHORT when rsi[i] > upper and rsi[i-1] <= upper. Entries only when
    flat; exits by the bracket alone. rsi = 100 x gain / (gain + loss), 50 when both are 0, where gain and loss are
    Wilder's averages of rises and falls of the close: the mean of the first `period` changes at i = period, then
    (average[i-1] x (period - 1) + change[i]) / period (Wilder 1978). First decision at i = period + 1.
    """

    name = "rsi_reversion"
    label = "RSI reversion"
    params_type = RsiReversionParams

    def warmup(self, params: RsiReversionParams) -> int:
        """Return period + 1: the crossing needs two values."""
        return params.period + 1

    def decide(self, view: MarketView, params: RsiReversionParams) -> Decisions:
        """Return the crossings with the same bracket at each."""
        from trading.strategies import kernels

        return Decisions(
            kernels.rsi_reversion(view.close, view.tick_size, params.period, params.lower, params.upper),
            # The same distance at every bar, without a year of copies of it.
            stop_ticks=np.broadcast_to(np.int64(params.stop_ticks), len(view)),
            target_ticks=np.broadcast_to(np.int64(params.target_ticks), len(view)),
            entries_only_when_flat=True,
        )
