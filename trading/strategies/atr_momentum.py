"""Momentum: a move that outgrows the average range, with stop and target in ranges."""

from dataclasses import dataclass

import numpy as np

from trading.bars.schema import FloatArray, IntArray
from trading.strategies.base import Decisions, MarketView, Params, Strategy, param
from trading.strategies.ticks import ticks


@dataclass(frozen=True, slots=True)
class AtrMomentumParams(Params):
    """Parameters of `AtrMomentum`."""

    lookback: int = param(60, low=1, high=2000, unit="bars", doc="Bars over which the move is measured.")
    atr_period: int = param(14, low=1, high=500, unit="bars", doc="True ranges in Wilder's average.")
    threshold: float = param(4.0, low=0.0, high=50.0, unit="ATR", doc="Move that enters.")
    stop_atr: float = param(3.0, low=0.1, high=50.0, unit="ATR", doc="Stop-loss, from the fill.")
    target_atr: float = param(6.0, low=0.0, high=100.0, unit="ATR", doc="Take-profit, from the fill; 0 for none.")


class AtrMomentum(Strategy):
    """Follows a strong move; the stop is fixed in ticks at entry.

    m[i] = c[i] - c[i-lookback]. LONG when m[i] > threshold x atr[i] and m[i-1] <= threshold x atr[i-1]; SHORT when
    m[i] < -threshold x atr[i] and m[i-1] >= -threshold x atr[i-1]. Entries only when flat; exits by the bracket alone:
    stop_ticks = stop_atr x atr[i] in ticks, rounded to the nearest (a half to even), at least 1; target_ticks
    likewise, none when target_atr is 0. atr is Wilder's average of true ranges, max(high[i], c[i-1]) -
    min(low[i], c[i-1]) from i = 1 on: the mean of the first atr_period at i = atr_period, then (atr[i-1] x
    (atr_period - 1) + range[i]) / atr_period. First decision at i = max(lookback, atr_period) + 1.
    """

    name = "atr_momentum"
    label = "Momentum with ATR stop"
    params_type = AtrMomentumParams

    def warmup(self, params: AtrMomentumParams) -> int:
        """Return max(lookback, atr_period) + 1: the crossing needs two bars of both."""
        return max(params.lookback, params.atr_period) + 1

    def decide(self, view: MarketView, params: AtrMomentumParams) -> Decisions:
        """Return the entries, each with its own bracket."""
        from trading.strategies import kernels

        close = ticks(view.close, view.tick_size)
        atr = kernels.wilder_atr(
            ticks(view.high, view.tick_size), ticks(view.low, view.tick_size), close, params.atr_period
        )
        return Decisions(
            kernels.momentum(close, atr, params.lookback, params.threshold, self.warmup(params)),
            stop_ticks=_distance(atr, params.stop_atr),
            target_ticks=_distance(atr, params.target_atr) if params.target_atr else None,
            entries_only_when_flat=True,
        )


def _distance(atr: FloatArray, multiple: float) -> IntArray:
    return np.maximum(1, np.rint(np.nan_to_num(atr) * multiple)).astype(np.int64)
