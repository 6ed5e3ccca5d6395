"""Prices as whole ticks: the exact form in which bars are hashed, compared and traded.

A price is read from ticks by one correctly rounded division, so the same ticks always give the same float,
whatever file they came from.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from trading.bars.schema import FloatArray, IntArray
from trading.instruments import Instrument

TOLERANCE_TICKS: Final = 0.01  # float32 files are off by a thousandth of a tick; real off-grid prices by a tenth
LARGEST_TICKS: Final = 2**40


def to_ticks(prices: FloatArray, instrument: Instrument) -> IntArray:
    """Return int64[T], the nearest number of ticks. Prices must be finite; see `off_grid`."""
    return np.rint(_in_ticks(prices, instrument)).astype(np.int64)


def from_ticks(ticks: IntArray, instrument: Instrument) -> FloatArray:
    """Return float64[T], the prices nearest to the exact decimals ticks x tick size."""
    numerator, denominator = instrument.tick_size.as_integer_ratio()
    return ticks * numerator / denominator


def off_grid(prices: FloatArray, instrument: Instrument) -> NDArray[np.bool_]:
    """Return bool[T]: whether a price is not a whole number of ticks (NaN, infinite and absurd ones too)."""
    exact = _in_ticks(prices, instrument)
    with np.errstate(invalid="ignore"):
        near = (np.abs(exact - np.rint(exact)) <= TOLERANCE_TICKS) & (np.abs(exact) < LARGEST_TICKS)
    return ~near


def _in_ticks(prices: FloatArray, instrument: Instrument) -> FloatArray:
    numerator, denominator = instrument.tick_size.as_integer_ratio()
    with np.errstate(over="ignore", invalid="ignore"):
        return prices * denominator / numerator
