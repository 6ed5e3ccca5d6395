"""Bars made for the tests of bars: a steady walk on the minutes that the calendar allows."""

from dataclasses import replace

import numpy as np

from trading.bars.schema import Bars, IntArray, Timeframe
from trading.bars.ticks import from_ticks
from trading.instruments import get_instrument
from trading.sessions import expected_minutes


def ns(text: str) -> int:
    """Return a UTC time as ns since 1970."""
    return int(np.datetime64(text, "ns").astype(np.int64))


def made_bars(
    start: str = "2024-01-08T23:00",
    end: str = "2024-01-11T22:00",
    *,
    symbol: str = "ES",
    contract: str = "ESH24",
    first_tick: int = 20_000,
    volume: int = 100,
) -> Bars:
    """Return a bar for every minute of the calendar in [start, end), the same ones on every call."""
    instrument = get_instrument(symbol)
    return bars_at(
        expected_minutes(instrument, ns(start), ns(end)),
        symbol=symbol,
        contract=contract,
        first_tick=first_tick,
        volume=volume,
    )


def bars_at(
    ts: IntArray, *, symbol: str = "ES", contract: str = "ESH24", first_tick: int = 20_000, volume: int = 100
) -> Bars:
    """Return a bar at each of those times; ts: int64[T] ns UTC."""
    closes = first_tick + np.cumsum(np.arange(len(ts)) * 7 % 5 - 2)
    opens = np.concatenate(([first_tick], closes[:-1])) if len(ts) else closes
    highs, lows = np.maximum(opens, closes) + 1, np.minimum(opens, closes) - 1
    instrument = get_instrument(symbol)
    return Bars(
        symbol,
        Timeframe.M1,
        ts,
        from_ticks(opens, instrument),
        from_ticks(highs, instrument),
        from_ticks(lows, instrument),
        from_ticks(closes, instrument),
        np.full(len(ts), volume, np.int64),
        np.zeros(len(ts), np.int32),
        (contract,),
    )


def without(bars: Bars, start: str, end: str) -> Bars:
    """Return the bars outside [start, end)."""
    return bars.take((bars.ts < ns(start)) | (bars.ts >= ns(end)))


def with_impossible(bars: Bars, at: str) -> Bars:
    """Return the bars with one whose high is below its other prices."""
    return replace(bars, high=np.where(bars.ts == ns(at), bars.high - 100, bars.high))


def with_volume(bars: Bars, start: str, end: str, volume: int) -> Bars:
    """Return the bars with that volume in [start, end)."""
    there = (bars.ts >= ns(start)) & (bars.ts < ns(end))
    return replace(bars, volume=np.where(there, volume, bars.volume).astype(np.int64))


def equal(left: Bars, right: Bars) -> bool:
    """Whether two series are the same in every column and in their contracts' names."""
    columns = ("ts", "open", "high", "low", "close", "volume", "contract")
    return (
        left.symbol == right.symbol
        and left.contracts == right.contracts
        and all(np.array_equal(getattr(left, name), getattr(right, name)) for name in columns)
    )
