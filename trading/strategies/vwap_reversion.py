"""Reversion: the close leaves the session's volume-weighted average price, and is home before the session ends."""

from dataclasses import dataclass

from trading.strategies.base import Decisions, MarketView, Params, Strategy, param
from trading.strategies.ticks import ticks


@dataclass(frozen=True, slots=True)
class VwapReversionParams(Params):
    """Parameters of `VwapReversion`."""

    min_bars: int = param(60, low=1, high=1000, unit="bars", doc="Bars of the session before its first entry.")
    width: float = param(2.0, low=0.1, high=10.0, unit="deviations", doc="Half the distance between the bands.")


class VwapReversion(Strategy):
    """Fades a close far from the session's average price until it comes back.

    Over the session's bars up to i, typical price p = (high + low + close) / 3 and volume v: vwap = sum(v p) / sum(v),
    s = square root of sum(v p^2) / sum(v) - vwap^2; both begin anew with every session, and a bar before the session's
    first volume is neither inside nor outside. LONG when c[i] < vwap[i] - width x s[i] and the session's bar before
    was not below its band; SHORT mirrored; from the session's bar number min_bars (counted from 0) on. FLAT when the
    close reaches or crosses vwap between two bars of a session, and on every bar whose successor is, by the calendar,
    the session's last, and on that last one; there nothing is entered. Reverses, no brackets.
    First decision at i = min_bars.
    """

    name = "vwap_reversion"
    label = "VWAP reversion"
    params_type = VwapReversionParams

    def warmup(self, params: VwapReversionParams) -> int:
        """Return min_bars: even the first session needs that many."""
        return params.min_bars

    def decide(self, view: MarketView, params: VwapReversionParams) -> Decisions:
        """Return entries at the bands, exits at the average and at the session's end."""
        from trading.strategies import kernels

        return Decisions(
            kernels.vwap_reversion(
                ticks(view.high, view.tick_size),
                ticks(view.low, view.tick_size),
                ticks(view.close, view.tick_size),
                view.volume,
                view.session,
                view.session_ending,
                params.min_bars,
                params.width,
            )
        )
