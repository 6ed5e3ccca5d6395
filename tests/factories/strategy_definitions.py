"""The strategies' definitions once more, bar by bar, in exact fractions where exact: what kernels must equal."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from statistics import fmean

from trading.strategies.base import FLAT, HOLD, LONG, SHORT, MarketView

Prices = list[int]


def in_ticks(view: MarketView, name: str) -> Prices:
    return [round(price / view.tick_size) for price in getattr(view, name).tolist()]


def decided(size: int, first: int, rule: Callable[[int], int]) -> list[int]:
    return [rule(i) if i >= first else HOLD for i in range(size)]


def sma_cross(view: MarketView, fast: int, slow: int) -> list[int]:
    c = in_ticks(view, "close")

    def sma(i: int, n: int) -> Fraction:
        return Fraction(sum(c[i - n + 1 : i + 1]), n)

    def rule(i: int) -> int:
        if sma(i, fast) > sma(i, slow) and sma(i - 1, fast) <= sma(i - 1, slow):
            return LONG
        if sma(i, fast) < sma(i, slow) and sma(i - 1, fast) >= sma(i - 1, slow):
            return SHORT
        return HOLD

    return decided(len(c), slow, rule)


def wilder(values: list[int], period: int) -> dict[int, float]:
    """Return the averages by bar; values[0] belongs to bar 1."""
    averages = {period: fmean(values[:period])}
    for i in range(period + 1, len(values) + 1):
        averages[i] = (averages[i - 1] * (period - 1) + values[i - 1]) / period
    return averages


def rsi_reversion(view: MarketView, period: int, lower: float, upper: float) -> list[int]:
    c = in_ticks(view, "close")
    changes = [after - before for before, after in pairwise(c)]
    gain = wilder([max(change, 0) for change in changes], period)
    loss = wilder([max(-change, 0) for change in changes], period)
    rsi = {i: 100 - 100 / (1 + gain[i] / loss[i]) if loss[i] else (100.0 if gain[i] else 50.0) for i in gain}

    def rule(i: int) -> int:
        if rsi[i] < lower <= rsi[i - 1]:
            return LONG
        return SHORT if rsi[i] > upper >= rsi[i - 1] else HOLD

    return decided(len(c), period + 1, rule)


def donchian_breakout(view: MarketView, channel: int, entry: tuple[int, int], flatten: int) -> list[int]:
    h, lo, c = (in_ticks(view, name) for name in ("high", "low", "close"))
    minute, ending = view.local_minute.tolist(), view.session_ending.tolist()
    evening = view.session_minute.tolist()

    def rule(i: int) -> int:
        if ending[i] or (evening[i] >= 0 and minute[i] >= flatten):
            return FLAT
        if not entry[0] <= minute[i] < entry[1]:
            return HOLD
        if c[i] > max(h[i - channel : i]):
            return LONG
        return SHORT if c[i] < min(lo[i - channel : i]) else HOLD

    return decided(len(c), channel, rule)


def bollinger_reversion(view: MarketView, period: int, width: float) -> list[int]:
    c = in_ticks(view, "close")

    def mean(i: int) -> Fraction:
        return Fraction(sum(c[i - period + 1 : i + 1]), period)

    def outside(i: int) -> int:
        middle = mean(i)
        deviation = sqrt(sum((price - middle) ** 2 for price in c[i - period + 1 : i + 1]) / period)
        return (c[i] > middle + width * deviation) - (c[i] < middle - width * deviation)

    def rule(i: int) -> int:
        now, before = outside(i), outside(i - 1)
        if now and now != before:
            return -now
        up = c[i] >= mean(i) and c[i - 1] < mean(i - 1)
        down = c[i] <= mean(i) and c[i - 1] > mean(i - 1)
        return FLAT if up or down else HOLD

    return decided(len(c), period, rule)


def average_true_range(view: MarketView, period: int) -> dict[int, float]:
    h, lo, c = (in_ticks(view, name) for name in ("high", "low", "close"))
    return wilder([max(h[i], c[i - 1]) - min(lo[i], c[i - 1]) for i in range(1, len(c))], period)


def atr_momentum(view: MarketView, lookback: int, atr_period: int, threshold: float) -> list[int]:
    c, atr = in_ticks(view, "close"), average_true_range(view, atr_period)

    def moved(i: int) -> int:
        move = c[i] - c[i - lookback]
        return (move > threshold * atr[i]) - (move < -threshold * atr[i])

    def rule(i: int) -> int:
        return moved(i) if moved(i) != moved(i - 1) else HOLD

    return decided(len(c), max(lookback, atr_period) + 1, rule)


def vwap_reversion(view: MarketView, min_bars: int, width: float) -> list[int]:
    h, lo, c = (in_ticks(view, name) for name in ("high", "low", "close"))
    v, session, ending = view.volume.tolist(), view.session.tolist(), view.session_ending.tolist()
    start = [session.index(day) for day in session]
    vwap: list[Fraction] = []
    band: list[float] = []
    for i in range(len(c)):
        if i == start[i]:
            traded = weighted = squares = 0
        typical = h[i] + lo[i] + c[i]  # three times the price
        traded, weighted, squares = traded + v[i], weighted + v[i] * typical, squares + v[i] * typical**2
        vwap.append(Fraction(weighted, 3 * traded))
        band.append(width * sqrt(Fraction(squares, 9 * traded) - vwap[i] ** 2))

    def outside(i: int) -> int:
        away = float(c[i] - vwap[i])
        return (away > band[i]) - (away < -band[i])

    def rule(i: int) -> int:
        if ending[i]:
            return FLAT
        first = i == start[i]
        now = outside(i)
        if i - start[i] >= min_bars and now and (first or now != outside(i - 1)):
            return -now
        up = not first and c[i] >= vwap[i] and c[i - 1] < vwap[i - 1]
        down = not first and c[i] <= vwap[i] and c[i - 1] > vwap[i - 1]
        return FLAT if up or down else HOLD

    return decided(len(c), min_bars, rule)
