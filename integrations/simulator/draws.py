"""Random integers for the simulator, in independent streams, identical on every machine.

Only raw words of a bit generator are used, a stream that numpy keeps across versions, and integer arithmetic on them.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trading.bars.schema import IntArray
from trading.instruments import Instrument

SIMULATOR_VERSION: Final = 2  # raise it whenever the same symbol, month and seed would give other bars


class Purpose(IntEnum):
    """What a stream is used for; streams of the same month are independent."""

    STEPS = 0
    COINS = 1
    DAYS = 2
    HOURS = 3
    BURSTS = 4
    THIN = 5
    VOLUME = 6
    CARRY = 7


def words(purpose: Purpose, instrument: Instrument, month: str, seed: int, count: int) -> NDArray[np.uint64]:
    """Return the first `count` words of a stream, uniform. month: "YYYY-MM"."""
    key = [SIMULATOR_VERSION, seed, int(month.replace("-", "")), int(purpose), *instrument.symbol.encode()]
    drawn: NDArray[np.uint64] = np.random.PCG64(np.random.SeedSequence(key)).random_raw(count)
    return drawn


def below(drawn: NDArray[np.uint64], bound: int) -> IntArray:
    """Return one integer a word, uniform from 0 to bound - 1. bound: at most 2**31."""
    high: IntArray = (drawn >> np.uint64(32)).astype(np.int64)
    return (high * bound) >> 32
