"""The long walk: the simulated price at the start of any month since 2010.

A month is a number of steps of one tick, up or down with equal probability, drawn from the month's own stream. The next
month starts at the sum, so prices have no drift and no memory, and nothing pulls them back. The number of steps is the
same every month while prices are high. When they are low it falls faster than the price, which keeps prices positive
for decades: zero is ten standard deviations of a month away, and the lower the price, the more.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from integrations.simulator.draws import Purpose, words
from trading.instruments import Instrument, get_instrument
from trading.months import plus

# A walk can't be continued backwards without knowing where it ends, so no month before this one can be simulated.
FIRST_MONTH: Final = "2010-01"
_MONTHS_A_YEAR: Final = 12
_WORD_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class _Scale:
    """first: price in January 2010. yearly: standard deviation of a year's move. Both in price units."""

    first: Decimal
    yearly: Decimal


def _scale(first: str, yearly: str) -> _Scale:
    return _Scale(Decimal(first), Decimal(yearly))


_SCALES: Final = {
    "ES": _scale("6500", "1000"), "NQ": _scale("24000", "3600"), "YM": _scale("44000", "5800"),
    "RTY": _scale("2400", "420"), "CL": _scale("110", "20"), "GC": _scale("3200", "430"),
    "SI": _scale("45", "8"), "6E": _scale("1.2", "0.11"), "ZN": _scale("115", "13"),
}  # fmt: skip
_FULL_SIZE: Final = {"MES": "ES", "MNQ": "NQ", "MYM": "YM", "M2K": "RTY", "MCL": "CL", "MGC": "GC"}
_CAP: Final = 60  # a month's variance, as a share of its price squared, is at most price / first price / this


def level_at(instrument: Instrument, month: str, seed: int) -> int:
    """Return the price, in ticks, at the start of a month, before any contract's carry; always positive.

    month: from 2010-01 on. The first call for an instrument and seed adds up all months since then, which takes up to
    half a second; later calls are cached.
    """
    return _levels_of_year(instrument.symbol, month[:4], seed)[int(month[5:]) - 1]


def steps_of(instrument: Instrument, level: int) -> int:
    """Return the number of steps in a month that starts at `level` ticks: the variance of its move, ticks squared."""
    usual = int((_scale_of(instrument).yearly / instrument.tick_size) ** 2 / _MONTHS_A_YEAR)
    return min(usual, level**3 // (_first_level(instrument) * _CAP))


def step_words(instrument: Instrument, month: str, seed: int, steps: int) -> NDArray[np.uint64]:
    """Return a month's steps, one a bit starting at the lowest bit of each word; 1 is up."""
    return words(Purpose.STEPS, instrument, month, seed, -(-steps // _WORD_BITS))


@lru_cache(maxsize=4096)
def _levels_of_year(symbol: str, year: str, seed: int) -> tuple[int, ...]:
    """Return the level at the start of each month of a year, and at the start of the next year."""
    instrument, month = get_instrument(symbol), f"{year}-01"
    first = month == FIRST_MONTH
    found = [_first_level(instrument) if first else _levels_of_year(symbol, plus(month, -1)[:4], seed)[-1]]
    for later in range(_MONTHS_A_YEAR):
        steps = steps_of(instrument, found[-1])
        drawn = step_words(instrument, plus(month, later), seed, steps)
        found.append(found[-1] + 2 * _ones(drawn, steps) - steps)
    return tuple(found)


def _ones(drawn: NDArray[np.uint64], steps: int) -> int:
    """Return how many of the first `steps` bits are set."""
    whole, rest = divmod(steps, _WORD_BITS)
    last = int(drawn[whole]) & ((1 << rest) - 1) if rest else 0
    return int(np.bitwise_count(drawn[:whole]).sum(dtype=np.int64)) + last.bit_count()


def _first_level(instrument: Instrument) -> int:
    return int(_scale_of(instrument).first / instrument.tick_size)


def _scale_of(instrument: Instrument) -> _Scale:
    return _SCALES[_FULL_SIZE.get(instrument.symbol, instrument.symbol)]
