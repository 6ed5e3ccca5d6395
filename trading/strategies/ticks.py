"""Prices of a view as whole ticks: sums and comparisons on them are exact."""

import numpy as np

from trading.bars.schema import FloatArray, IntArray


def ticks(prices: FloatArray, tick_size: float) -> IntArray:
    """Return int64[T]; the prices lie on the tick grid but for rounding of the last binary digit."""
    return np.rint(prices / tick_size).astype(np.int64)
