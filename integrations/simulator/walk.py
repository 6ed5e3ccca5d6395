"""The walk within a month, tick by tick, compiled: which steps belong to which minute, and the bars they make.

Each step is up or down with equal probability given everything before it, and how many steps a minute takes depends
only on earlier steps and on volatility fixed in advance. So the price is a martingale at tick level: no entry, stop,
target or exit time has an expected profit.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trading.bars.schema import IntArray


class Walked(NamedTuple):
    """T bars in ticks, int64[T] each, before any contract's carry.

    opened_at, closed_at: how many of the month's steps precede the bar's open and its close.
    """

    open: IntArray
    high: IntArray
    low: IntArray
    close: IntArray
    opened_at: IntArray
    closed_at: IntArray


def walk(
    steps: NDArray[np.uint64], count: int, level: int, weight: IntArray, closure: IntArray, coins: IntArray
) -> Walked:
    """Take `count` steps from `level` ticks on and return the bars. Releases the GIL.

    steps: one a bit, as in `step_words`. weight, closure: int64[T], as in `Activity`. coins: int64[T], each of 31
    random bits. A minute takes its share of the remaining steps, then goes on to the first step back towards its open;
    the last minute takes all that remain. The step back keeps ranges realistic: a walk of few ticks that just stops
    often closes at its extreme, and its range is too small for its move.
    """
    return Walked(*_walk(steps, count, level, weight, closure, coins, _EIGHT_STEPS))


def _eight_steps() -> IntArray:
    """Return int64[256, 3] by byte: the move over its eight steps, and the highest and lowest level after any step."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    path = np.cumsum(2 * bits - 1, axis=1)
    found: IntArray = np.stack((path[:, -1], path.max(axis=1), path.min(axis=1)), axis=1).astype(np.int64)
    return found


_EIGHT_STEPS: Final = _eight_steps()


@njit(cache=True, nogil=True)
def _walk(steps, count, level, weight, closure, coins, table):  # type: ignore[no-untyped-def] # pragma: no cover
    size = len(weight)
    bars = np.empty((6, size), np.int64)
    used = 0
    rest = weight.sum() + closure.sum()
    for i in range(size):
        coin = coins[i]
        if closure[i]:
            closed = _share(count - used, closure[i], rest, 1, coin & 0x7FFF)
            level = _run(steps, used, closed, level, table)[0]
            used += closed
            rest -= closure[i]
        last = i == size - 1
        planned = count - used if last else _planned(count - used, weight[i], rest, coin >> 15 & 0x7FFF)
        rest -= weight[i]
        if planned >= 4 and coin >> 30:  # half of these bars open a tick away from the close before
            level += _step(steps, used)
            used += 1
            planned -= 1
        opened = level
        bars[0, i], bars[4, i] = opened, used
        level, high, low = _run(steps, used, planned, level, table)
        used += planned
        back = 0 if last else np.sign(opened - level)
        while back and used < count:
            step = _step(steps, used)
            level += step
            used += 1
            high, low = max(high, level), min(low, level)
            if step == back:
                break
        bars[1, i], bars[2, i], bars[3, i], bars[5, i] = high, low, level, used
    return bars


@njit(cache=True, nogil=True)
def _run(steps, at, number, level, table):  # type: ignore[no-untyped-def] # pragma: no cover
    """Take `number` steps, the first of them numbered `at`; return the level after them, its highest and lowest."""
    high, low = level, level
    for _ in range(number >> 3):  # eight at a time, measured ten times faster
        word, past = np.uint64(at >> 6), np.uint64(at & 63)
        eight = steps[word] >> past
        if past > 56:
            eight |= steps[word + np.uint64(1)] << (np.uint64(64) - past)
        eight &= np.uint64(255)
        high, low = max(high, level + table[eight, 1]), min(low, level + table[eight, 2])
        level += table[eight, 0]
        at += 8
    for _ in range(number & 7):
        level += _step(steps, at)
        high, low = max(high, level), min(low, level)
        at += 1
    return level, high, low


@njit(cache=True, nogil=True)
def _step(steps, at):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return step number `at`: 1 or -1."""
    return np.int64(steps[np.uint64(at >> 6)] >> np.uint64(at & 63) & np.uint64(1)) * 2 - 1


@njit(cache=True, nogil=True)
def _planned(left, weight, rest, coin):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return a minute's steps without those back, which are two on average in a minute that moves."""
    if left * weight >= 3 * rest:
        return _share(left, weight, rest, 1, coin) - 2
    return _share(left, weight, rest, 3, coin)


@njit(cache=True, nogil=True)
def _share(left, weight, rest, among, coin):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return left x weight / (rest x among), rounded up or down at random to keep its mean. coin: 15 random bits."""
    whole = rest * among
    share, over = divmod(left * weight, whole)
    return share + ((over << 15) // whole > coin)


@njit(cache=True, nogil=True)
def urn(balls: IntArray, white: int) -> IntArray:  # pragma: no cover
    """Return int64[N]: the number of white balls after each of N draws in Ehrenfest's urn, starting with `white`.

    balls: int64[N], the number of the ball that changes colour, from 0. The count reverts to half of all balls.
    """
    found = np.empty(len(balls), np.int64)
    for i in range(len(balls)):
        white += -1 if balls[i] < white else 1
        found[i] = white
    return found
