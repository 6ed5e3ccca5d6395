"""Bars without any edge, and bars with one that is known, in ticks; a thousand bars a session."""

from functools import cache

import numpy as np

from tests.factories.windows import window_of
from trading.bars.schema import IntArray
from trading.bars.series import Window

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
