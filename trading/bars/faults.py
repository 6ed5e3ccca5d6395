"""What no bar may be, as masks over rows; readers name the row with it, `quality` counts it.

Prices finite, on the tick grid, and above zero unless the instrument's may be negative; high the highest and
low the lowest of the bar; volume not negative; opens on the minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trading.bars.quality_types import ProblemCode
from trading.bars.schema import Bars
from trading.bars.ticks import off_grid
from trading.instruments import Instrument
from trading.sessions import MINUTE_NS

IMPOSSIBLE: Final = "a high below, or a low above, another of its prices"


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """One broken rule. what: says it of a bar, after "has" or "have". wrong: bool[T], whether a row breaks it."""

    code: ProblemCode
    what: str
    wrong: NDArray[np.bool_]


def faults(bars: Bars, instrument: Instrument) -> Iterator[Fault]:
    """Yield the rules that some of T bars break; nothing for good ones. Rows may be in any order."""
    return (fault for fault in _rules(bars, instrument) if fault.wrong.any())


def _rules(bars: Bars, instrument: Instrument) -> Iterator[Fault]:
    finite, positive, on_grid = (np.ones(len(bars), np.bool_) for _ in range(3))
    for prices in bars.ohlc():
        of_price = np.isfinite(prices)
        finite &= of_price
        positive &= ~of_price | (prices > 0)
        on_grid &= ~of_price | ~off_grid(prices, instrument)
    yield Fault(ProblemCode.NOT_FINITE, "a price that is not a number", ~finite)
    if not instrument.may_be_negative:
        what = f"a price of zero or below, which {instrument.symbol} never has"
        yield Fault(ProblemCode.NOT_POSITIVE, what, ~positive)
    tick = f"a price that is not a multiple of {instrument.symbol}'s tick size {instrument.tick_size}"
    yield Fault(ProblemCode.OFF_GRID, tick, ~on_grid)
    ordered = (bars.high >= np.maximum(bars.open, bars.close)) & (bars.low <= np.minimum(bars.open, bars.close))
    yield Fault(ProblemCode.OHLC_VIOLATION, IMPOSSIBLE, finite & ~ordered)
    yield Fault(ProblemCode.NEGATIVE_VOLUME, "a negative volume", bars.volume < 0)
    yield Fault(ProblemCode.OFF_MINUTE, "a time that is not a whole minute", bars.ts % MINUTE_NS != 0)
