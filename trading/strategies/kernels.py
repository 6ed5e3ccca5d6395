"""The strategies' loops, compiled: each reads bar i and the bars before it, once, in order.

Prices come as whole ticks (int64), so that sums and comparisons are exact and two equal averages are equal. Only
RSI, ATR and the volume-weighted deviation are float64. Imported inside `decide`, because numba takes half a second.
All return int8[T] of the codes in `base`, HOLD before the first bar at which a decision is possible.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trading.bars.schema import FloatArray, IntArray
from trading.strategies.base import FLAT, LONG, SHORT

Targets = NDArray[np.int8]
Flags = NDArray[np.bool_]


@njit(cache=True, nogil=True)
def sma_cross(c: IntArray, fast: int, slow: int) -> Targets:
    """Decide where the averages of `fast` and `slow` closes cross."""
    target = np.zeros(len(c), np.int8)
    fast_sum = slow_sum = previous = 0
    for i in range(len(c)):
        fast_sum += c[i] - (c[i - fast] if i >= fast else 0)
        slow_sum += c[i] - (c[i - slow] if i >= slow else 0)
        # The averages' difference times fast x slow: no division, so no rounding.
        difference = fast_sum * slow - slow_sum * fast
        if i >= slow:
            if difference > 0 and previous <= 0:
                target[i] = LONG
            elif difference < 0 and previous >= 0:
                target[i] = SHORT
        previous = difference
    return target


@njit(cache=True, nogil=True)
def rsi_reversion(prices: FloatArray, tick_size: float, period: int, lower: float, upper: float) -> Targets:
    """Decide LONG where Wilder's RSI falls below `lower`, SHORT where it rises above `upper`.

    prices: closes on the tick grid. RSI and decision in one pass: a year of minutes would be 3 MB in between.
    """
    size = len(prices)
    target = np.zeros(size, np.int8)
    gains = losses = 0.0
    per_tick = 1.0 / tick_size
    for i in range(1, min(period + 1, size)):
        change = np.floor((prices[i] - prices[i - 1]) * per_tick + 0.5)  # whole ticks
        gains += max(change, 0.0)
        losses += max(-change, 0.0)
    gain, loss = gains / period, losses / period
    previous = 50.0 if gain + loss == 0.0 else 100.0 * gain / (gain + loss)
    # Wilder's (average x (period - 1) + change) / period as weights: no bar waits for the one before to be divided.
    weight = 1.0 / period
    rest = 1.0 - weight
    for i in range(period + 1, size):
        change = np.floor((prices[i] - prices[i - 1]) * per_tick + 0.5)
        gain = gain * rest + max(change, 0.0) * weight
        loss = loss * rest + max(-change, 0.0) * weight
        rsi = 50.0 if gain + loss == 0.0 else 100.0 * gain / (gain + loss)
        if rsi < lower and previous >= lower:
            target[i] = LONG
        elif rsi > upper and previous <= upper:
            target[i] = SHORT
        previous = rsi
    return target


@njit(cache=True, nogil=True)
def suffix_maxima(x: IntArray, into: IntArray) -> None:
    """Write, for each place, the maximum of the values from there to the end."""
    best = x[len(x) - 1]
    for k in range(len(x) - 1, -1, -1):
        best = max(best, x[k])
        into[k] = best


@njit(cache=True, nogil=True)
def donchian(
    h: IntArray,
    lo: IntArray,
    c: IntArray,
    minute: IntArray,
    home: Flags,
    channel: int,
    entry: tuple[int, int],
) -> Targets:
    """Decide breakouts of the previous `channel` bars within the entry minutes, FLAT where it is time to go home.

    The channel of a bar is the rest of the block of `channel` bars before its own and the start of its own (van Herk
    1992, Gil and Werman 1993): two block-long buffers, nothing as long as the window.
    """
    size = len(c)
    target = np.zeros(size, np.int8)
    depth = -lo
    tops, depths = np.empty(channel, np.int64), np.empty(channel, np.int64)
    for start in range(channel, size, channel):
        suffix_maxima(h[start - channel : start], tops)
        suffix_maxima(depth[start - channel : start], depths)
        highest, deepest = h[start - 1], depth[start - 1]
        for i in range(start, min(start + channel, size)):
            top, deep = max(tops[i - start], highest), max(depths[i - start], deepest)
            highest, deepest = max(highest, h[i]), max(deepest, depth[i])
            if home[i]:
                target[i] = FLAT
            elif entry[0] <= minute[i] < entry[1]:
                if c[i] > top:
                    target[i] = LONG
                elif -c[i] > deep:
                    target[i] = SHORT
    return target


@njit(cache=True, nogil=True)
def bollinger(c: IntArray, period: int, width: float) -> Targets:
    """Decide entries where the close leaves the bands, FLAT where it crosses their middle."""
    target = np.zeros(len(c), np.int8)
    total = squares = before = was_outside = 0
    for i in range(len(c)):
        # From the first close, so that squares stay small; times the period, so that everything stays whole.
        close = c[i] - c[0]
        gone = c[i - period] - c[0] if i >= period else 0
        total += close - gone
        squares += close * close - gone * gone
        if i < period - 1:
            continue
        distance = period * close - total
        spread = width * np.sqrt(float(period * squares - total * total))
        outside = -1 if distance < -spread else (1 if distance > spread else 0)
        if i >= period:
            if outside == -1 and was_outside != -1:
                target[i] = LONG
            elif outside == 1 and was_outside != 1:
                target[i] = SHORT
            elif (distance >= 0 and before < 0) or (distance <= 0 and before > 0):
                target[i] = FLAT
        before, was_outside = distance, outside
    return target


@njit(cache=True, nogil=True)
def wilder_atr(h: IntArray, lo: IntArray, c: IntArray, period: int) -> FloatArray:
    """Return float64[T], ticks, NaN before bar `period`."""
    atr = np.full(len(c), np.nan)
    average, total = 0.0, 0
    for i in range(1, len(c)):
        true_range = max(h[i], c[i - 1]) - min(lo[i], c[i - 1])
        if i <= period:
            total += true_range
            average = total / period
        else:
            average = (average * (period - 1) + true_range) / period
        if i >= period:
            atr[i] = average
    return atr


@njit(cache=True, nogil=True)
def momentum(c: IntArray, atr: FloatArray, lookback: int, threshold: float, first: int) -> Targets:
    """Decide where the move of `lookback` bars outgrows `threshold` average ranges, from bar `first` on."""
    target = np.zeros(len(c), np.int8)
    for i in range(first, len(c)):
        now, before = c[i] - c[i - lookback], c[i - 1] - c[i - 1 - lookback]
        limit, limit_before = threshold * atr[i], threshold * atr[i - 1]
        if now > limit and before <= limit_before:
            target[i] = LONG
        elif now < -limit and before >= -limit_before:
            target[i] = SHORT
    return target


@njit(cache=True, nogil=True)
def vwap_reversion(
    h: IntArray,
    lo: IntArray,
    c: IntArray,
    volume: IntArray,
    session: IntArray,
    ending: Flags,
    min_bars: int,
    width: float,
) -> Targets:
    """Decide entries where the close leaves the bands around the session's VWAP, FLAT where it comes back."""
    target = np.zeros(len(c), np.int8)
    start = reference = traded = weighted = before = was_outside = 0
    squares = 0.0
    for i in range(len(c)):
        if i == 0 or session[i] != session[i - 1]:
            start, reference = i, h[i] + lo[i] + c[i]
            traded = weighted = before = was_outside = 0
            squares = 0.0
        # Three times the typical price, from the session's first: whole, and small enough to square.
        typical = h[i] + lo[i] + c[i] - reference
        traded += volume[i]
        weighted += volume[i] * typical
        squares += float(volume[i]) * float(typical) * float(typical)
        distance, outside = 0, 0
        if traded > 0:
            distance = (3 * c[i] - reference) * traded - weighted
            mean = weighted / traded
            spread = width * traded * np.sqrt(max(0.0, squares / traded - mean * mean))
            outside = -1 if distance < -spread else (1 if distance > spread else 0)
        if i >= min_bars:
            may_enter = i - start >= min_bars
            if ending[i]:
                target[i] = FLAT
            elif may_enter and outside == -1 and was_outside != -1:
                target[i] = LONG
            elif may_enter and outside == 1 and was_outside != 1:
                target[i] = SHORT
            elif (distance >= 0 and before < 0) or (distance <= 0 and before > 0):
                target[i] = FLAT
        before, was_outside = distance, outside
    return target
