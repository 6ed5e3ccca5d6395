"""Reversion: the close leaves the Bollinger bands and comes back to their middle."""

from dataclasses import dataclass

from trading.strategies.base import Decisions, MarketView, Params, Strategy, param
from trading.strategies.ticks import ticks


@dataclass(frozen=True, slots=True)
class BollingerReversionParams(Params):
    """Parameters of `BollingerReversion`."""

    period: int = param(60, low=2, high=1000, unit="bars", doc="Closes in mean and deviation.")
    width: float = param(2.0, low=0.1, high=10.0, unit="deviations", doc="Half the distance between the bands.")


class BollingerReversion(Strategy):
    """Fades a close outside the bands until the mean is reached.

    m = mean, s = population deviation (ddof 0) of the last `period` closes, bar i included. LONG when c[i] <
    m[i] - width x s[i] and c[i-1] >= m[i-1] - width x s[i-1]; SHORT mirrored above m + width x s. Else FLAT when the
    close reaches or crosses the mean: c[i] >= m[i] and c[i-1] < m[i-1], or c[i] <= m[i] and c[i-1] > m[i-1].
    Reverses, no brackets (Bollinger 1992). First decision at i = period.
    """

    name = "bollinger_reversion"
    label = "Bollinger reversion"
    params_type = BollingerReversionParams

    def warmup(self, params: BollingerReversionParams) -> int:
        """Return period: the crossing needs two bars of bands."""
        return params.period

    def decide(self, view: MarketView, params: BollingerReversionParams) -> Decisions:
        """Return entries at the bands and exits at the mean."""
        from trading.strategies import kernels

        return Decisions(kernels.bollinger(ticks(view.close, view.tick_size), params.period, params.width))
