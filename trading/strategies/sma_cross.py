"""Trend: two simple moving averages."""

from dataclasses import dataclass

from core.errors import FieldProblem
from trading.strategies.base import Decisions, MarketView, Params, Strategy, param
from trading.strategies.ticks import ticks


@dataclass(frozen=True, slots=True)
class SmaCrossParams(Params):
    """Parameters of `SmaCross`."""

    fast: int = param(20, low=1, high=1000, unit="bars", doc="Closes in the fast average; below slow.")
    slow: int = param(100, low=2, high=2000, unit="bars", doc="Closes in the slow average.")

    def problems(self) -> list[FieldProblem]:
        """Add: fast is below slow."""
        found = Params.problems(self)
        if not found and self.fast >= self.slow:
            found.append(FieldProblem("fast", "order", "fast must be below slow."))
        return found


class SmaCross(Strategy):
    """Always in the market on the side of the faster average.

    LONG when sma_fast[i] > sma_slow[i] and sma_fast[i-1] <= sma_slow[i-1]; SHORT when sma_fast[i] < sma_slow[i] and
    sma_fast[i-1] >= sma_slow[i-1]. Averages of the last `fast` and `slow` closes, bar i included. Reverses, no
    brackets: in the market after the first cross. First decision at i = slow.
    """

    name = "sma_cross"
    label = "Moving average cross"
    params_type = SmaCrossParams

    def warmup(self, params: SmaCrossParams) -> int:
        """Return slow: the cross needs two bars of the slow average."""
        return params.slow

    def decide(self, view: MarketView, params: SmaCrossParams) -> Decisions:
        """Return the crosses."""
        from trading.strategies import kernels

        return Decisions(kernels.sma_cross(ticks(view.close, view.tick_size), params.fast, params.slow))
