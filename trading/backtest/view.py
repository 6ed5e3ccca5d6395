"""What a strategy sees of a window: roll-adjusted prices and the calendar, nothing of the future."""

import threading
from typing import Final
from weakref import WeakKeyDictionary

from trading.bars.schema import NS_PER_SECOND, FloatArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.sessions import session_minute
from trading.strategies.base import MarketView

MINUTES_OF_DAY: Final = 1440

# A fleet runs hundreds of bots on one window: time zones are worth computing once (20 ms for a year of minutes).
_VIEWS: Final[WeakKeyDictionary[Window, MarketView]] = WeakKeyDictionary()
_LOCK: Final = threading.Lock()


def market_view(window: Window, instrument: Instrument) -> MarketView:
    """Return the view of a window; the same object for the same window, its arrays read-only."""
    with _LOCK:
        view = _VIEWS.get(window)
        if view is None:
            view = _VIEWS[window] = _build(window, instrument)
    return view


def _build(window: Window, instrument: Instrument) -> MarketView:
    bars, tick = window.bars, float(instrument.tick_size)
    bar_ns = bars.timeframe.seconds * NS_PER_SECOND
    adjustment = window.adjustment_ticks * tick if window.rolls else None

    def adjusted(prices: FloatArray) -> FloatArray:
        # A window without a roll shows the very floats of the file, so that anyone can check a signal on them.
        seen: FloatArray = prices.copy() if adjustment is None else prices - adjustment
        return seen

    minute = session_minute(instrument, bars.ts, window.session)
    view = MarketView(
        ts=bars.ts.copy(),
        open=adjusted(bars.open),
        high=adjusted(bars.high),
        low=adjusted(bars.low),
        close=adjusted(bars.close),
        volume=bars.volume.copy(),
        session=window.session.copy(),
        local_minute=minute % MINUTES_OF_DAY,
        session_minute=minute,
        session_ending=bars.ts + bar_ns >= window.session_last,
        tick_size=tick,
    )
    for name in MarketView.__slots__:
        if name != "tick_size":
            getattr(view, name).flags.writeable = False
    return view
