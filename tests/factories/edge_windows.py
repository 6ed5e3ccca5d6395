"""Bars without any edge, and bars with one that is known, in ticks; a thousand bars a session."""

from functools import cache

import numpy as np

from tests.factories.windows import window_of
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.improve.folds import sessions_of, until_session

BARS_A_SESSION = 1_000
STEPS_A_BAR = 12


@cache
def noise(seed: int, *, sessions: int = 40) -> tuple[Window, ...]:
    """Return a walk of fair single ticks, a dozen a bar: no rule can know the next move.

    Highs and lows are the walk's own. Drawn beside it they would be an edge: a limit order filled at a spike that was
    never a price.
    """
    rng = np.random.default_rng(seed)
    moves = rng.choice(np.array([-1, 1]), (sessions * BARS_A_SESSION, STEPS_A_BAR))
    prices = 20_000 + np.cumsum(moves).reshape(moves.shape)
    close = prices[:, -1]
    opened = np.concatenate(([20_000], close[:-1]))
    table = (opened, np.maximum(opened, prices.max(axis=1)), np.minimum(opened, prices.min(axis=1)), close)
    return (window_of(np.column_stack(table)),)


@cache
def swinging(seed: int, *, sessions: int = 40, swing: float = 14.0) -> tuple[Window, ...]:
    """Return a random walk under a swing that comes back about every 40 bars: fading it over some 60 bars pays."""
    rng = np.random.default_rng(seed)
    size = sessions * BARS_A_SESSION
    pull, drawn = np.exp(-1 / 40), rng.standard_normal(size)
    away = np.empty(size)
    level = 0.0
    for i in range(size):
        level = pull * level + np.sqrt(1 - pull * pull) * float(drawn[i])
        away[i] = level
    drift = np.cumsum(rng.integers(-1, 2, size)) * 0.3
    return (_bars(rng, 20_000 + np.rint(drift + swing * away).astype(np.int64)),)


def _bars(rng: np.random.Generator, close: IntArray) -> Window:
    opened = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opened, close) + rng.integers(0, 3, len(close))
    low = np.minimum(opened, close) - rng.integers(0, 3, len(close))
    return window_of(np.column_stack((opened, high, low, close)))


def with_another_future(sessions: int) -> tuple[Window, ...]:
    """Return `swinging(1, sessions=30)` with another market after so many sessions."""
    real, other = swinging(1, sessions=30)[0], swinging(9, sessions=30)[0]
    (start,) = until_session((real,), sessions_of((real,)), sessions)
    at = len(start)

    def joined(left: IntArray, right: IntArray) -> IntArray:
        return np.concatenate((left[:at], right[at:]))

    opens, highs = joined(real.open_ticks, other.open_ticks), joined(real.high_ticks, other.high_ticks)
    lows, closes = joined(real.low_ticks, other.low_ticks), joined(real.close_ticks, other.close_ticks)
    return (window_of(np.column_stack((opens, highs, lows, closes))),)
