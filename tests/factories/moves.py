"""Statistics of simulated prices: autocorrelation of their moves, and ranges of bars against their moves."""

from collections.abc import Sequence

import numpy as np

from integrations.simulator.levels import FIRST_MONTH, level_at, steps_of
from trading.bars.schema import FloatArray, IntArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.months import months_between

MONTHS = months_between(FIRST_MONTH, "2059-12")


def range_ratio(window: Window) -> float:
    """Return mean range / mean |close - open|; of a random walk about 2."""
    ranges = window.high_ticks - window.low_ticks
    return float(ranges.mean() / np.abs(window.close_ticks - window.open_ticks).mean())


def autocorrelation_z(moves: FloatArray, lag: int = 1) -> float:
    """Return the autocorrelation at that lag in standard errors.

    The usual error, 1 / sqrt(T), is too small where volatility clusters; this one is right for any martingale.
    """
    products = moves[:-lag] * moves[lag:]
    return float(products.sum() / np.sqrt((products**2).sum()))


def moves_of(window: Window, bars: int) -> FloatArray:
    """Return the moves over so many bars, in ticks, rolls taken out."""
    moves: FloatArray = np.diff(_adjusted(window)[::bars]).astype(np.float64)
    return moves


def daily_moves(window: Window) -> FloatArray:
    """Return the moves from one session's close to the next one's, in ticks, rolls taken out."""
    ends = np.append(np.flatnonzero(np.diff(window.session)), len(window) - 1)
    moves: FloatArray = np.diff(_adjusted(window)[ends]).astype(np.float64)
    return moves


def monthly_moves(instrument: Instrument, seed: int) -> FloatArray:
    """Return the move of each month of fifty years, in standard deviations."""
    levels = [level_at(instrument, month, seed) for month in MONTHS]
    steps = [steps_of(instrument, level) for level in levels[:-1]]
    moves: FloatArray = np.diff(levels) / np.sqrt(steps)
    return moves


def together(scores: Sequence[float]) -> float:
    """Return independent scores, each in standard errors, combined into one."""
    return float(np.sum(scores) / np.sqrt(len(scores)))


def _adjusted(window: Window) -> IntArray:
    adjusted: IntArray = window.close_ticks - window.adjustment_ticks
    return adjusted
