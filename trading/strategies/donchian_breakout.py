"""Breakout: the close leaves the channel of the bars before it, by day only."""

from dataclasses import dataclass

from core.errors import FieldProblem
from trading.strategies.base import Decisions, MarketView, Params, Strategy, param
from trading.strategies.clock_times import minute_of, time_problems
from trading.strategies.ticks import ticks


@dataclass(frozen=True, slots=True)
class DonchianBreakoutParams(Params):
    """Parameters of `DonchianBreakout`."""

    channel: int = param(60, low=2, high=2000, unit="bars", doc="Bars before bar i that span the channel.")
    entry_from: str = param(
        "08:30", low="00:00", high="15:59", unit="HH:MM exchange time", doc="First bar that may enter."
    )
    entry_until: str = param(
        "14:45", low="00:00", high="15:59", unit="HH:MM exchange time", doc="First bar that no longer may."
    )
    flatten_at: str = param(
        "14:59",
        low="00:00",
        high="15:59",
        unit="HH:MM exchange time",
        doc="First bar of the trading day that decides flat; earlier where the session ends earlier.",
    )

    def problems(self) -> list[FieldProblem]:
        """Add: real times, entry_from <= entry_until <= flatten_at."""
        return Params.problems(self) or time_problems(self, "entry_from", "entry_until", "flatten_at")


class DonchianBreakout(Strategy):
    """Follows a break of the channel and goes home flat.

    LONG when c[i] > max(high[i-channel .. i-1]); SHORT when c[i] < min(low[i-channel .. i-1]), on bars whose open time
    is within [entry_from, entry_until). Exchange time. FLAT, and nothing entered, on every bar from flatten_at of the
    trading day to the session's end, and in any case on every bar whose successor is, by the calendar, the session's
    last, and on that last one. Reverses, no brackets. First decision at i = channel.
    """

    name = "donchian_breakout"
    label = "Donchian breakout"
    params_type = DonchianBreakoutParams

    def warmup(self, params: DonchianBreakoutParams) -> int:
        """Return channel: that many bars lie before the first decision."""
        return params.channel

    def decide(self, view: MarketView, params: DonchianBreakoutParams) -> Decisions:
        """Return breakouts and the flatten of every day."""
        from trading.strategies import kernels

        return Decisions(
            kernels.donchian(
                ticks(view.high, view.tick_size),
                ticks(view.low, view.tick_size),
                ticks(view.close, view.tick_size),
                view.local_minute,
                view.session_ending | (view.session_minute >= minute_of(params.flatten_at)),
                params.channel,
                (minute_of(params.entry_from), minute_of(params.entry_until)),
            )
        )
