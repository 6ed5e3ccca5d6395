"""Random walks on the real calendar of an instrument: windows and views a strategy can be tried on."""

import numpy as np

from trading.backtest.view import market_view
from trading.bars.front import windows
from trading.bars.schema import Bars, FloatArray, Timeframe
from trading.bars.series import Window
from trading.instruments import Instrument, get_instrument
from trading.sessions import expected_minutes
from trading.strategies.base import MarketView

DAY_NS = 86_400_000_000_000
MONDAY_NS = 1_717_365_600_000_000_000  # 2024-06-02 22:00 UTC, a Sunday's open


def walk(days: float, seed: int, *, symbol: str = "ES", step: int = 3, start_ns: int = MONDAY_NS) -> tuple[Window, ...]:
    """Return the windows of so many days of one-minute bars that move up to `step` ticks a bar; 0 stands still."""
    instrument = get_instrument(symbol)
    ts = expected_minutes(instrument, start_ns, start_ns + int(days * DAY_NS))
    rng = np.random.default_rng(seed)
    size, tick = len(ts), float(instrument.tick_size)
    close = 20_000 + np.cumsum(rng.integers(-step, step + 1, size))
    opened = np.concatenate((close[:1], close[:-1])) + rng.integers(-1, 2, size) * min(step, 1)
    high = np.maximum(opened, close) + rng.integers(0, step + 1, size)
    low = np.minimum(opened, close) - rng.integers(0, step + 1, size)
    prices: list[FloatArray] = [(ticks * tick).astype(np.float64) for ticks in (opened, high, low, close)]
    volume, contract = rng.integers(1, 500, size), np.zeros(size, np.int32)
    names = (f"{symbol}M4",)
    bars = Bars(symbol, Timeframe.M1, ts, prices[0], prices[1], prices[2], prices[3], volume, contract, names)
    return windows(bars, instrument)


def view_of_walk(days: float, seed: int, *, symbol: str = "ES", step: int = 3) -> MarketView:
    """Return what a strategy sees of such a walk."""
    (window,) = walk(days, seed, symbol=symbol, step=step)
    return market_view(window, instrument_of(window))


def instrument_of(window: Window) -> Instrument:
    """Return the instrument of a window."""
    return get_instrument(window.bars.symbol)
