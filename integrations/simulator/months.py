"""Simulated one-minute bars of one instrument and month.

The price is a martingale at tick level (`walk`), so no strategy has an expected profit before costs. Around it is what
makes futures bars awkward: volatility that clusters over days and hours, busy opens and closes, gaps between sessions
and over weekends, minutes without a trade, and rolls to the next contract at another price. The same (symbol, month,
seed) gives the same bars on every machine. Months of one seed are parts of one long walk (`levels`), each computed on
its own.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import invalid
from integrations.simulator.contracts import contracts_of
from integrations.simulator.draws import Purpose, below, words
from integrations.simulator.levels import FIRST_MONTH, level_at, step_words, steps_of
from trading.bars.schema import Bars, IntArray, Timeframe
from trading.bars.span import Span, span_of
from trading.bars.ticks import from_ticks
from trading.instruments import Instrument

if TYPE_CHECKING:
    from integrations.simulator.activity import MinuteActivity
    from integrations.simulator.walk import Walked

_MEAN_VOLUME: Final = 40  # contracts for each price level a bar spans


@dataclass(frozen=True, slots=True, eq=False)
class MonthWalk:
    """The walk behind a month. steps: uint64, one a bit, as in `step_words`. walked: the bars, T as in active."""

    active: "MinuteActivity"
    steps: NDArray[np.uint64]
    walked: "Walked"


def simulate_month(instrument: Instrument, month: str, seed: int) -> Bars:
    """Return the month's bars, continuous, one contract at a time, on the tick grid, volume above zero.

    month: "YYYY-MM", UTC, like every catalogued month, from 2010-01 to 2059-12. seed: any integer from 0.

    Raises:
        GantryError: VALIDATION_FAILED for a malformed month or one outside those years.

    """
    made = walk_of(instrument, month, seed)
    contracts = contracts_of(instrument, made.active.session, seed)
    walked = made.walked
    return Bars(
        instrument.symbol,
        Timeframe.M1,
        made.active.minutes,
        from_ticks(walked.open + contracts.carry, instrument),
        from_ticks(walked.high + contracts.carry, instrument),
        from_ticks(walked.low + contracts.carry, instrument),
        from_ticks(walked.close + contracts.carry, instrument),
        _volume(instrument, month, seed, walked.high - walked.low),
        contracts.code,
        contracts.names,
    )


def walk_of(instrument: Instrument, month: str, seed: int) -> MonthWalk:
    """Return the walk behind a month's bars; same arguments and errors as `simulate_month`."""
    from integrations.simulator.activity import activity_of  # numba takes half a second to import
    from integrations.simulator.walk import walk

    active = activity_of(instrument, month, seed, _span(month))
    level = level_at(instrument, month, seed)
    count = steps_of(instrument, level)
    steps = step_words(instrument, month, seed, count)
    coins = below(words(Purpose.COINS, instrument, month, seed, len(active.minutes)), 1 << 31)
    return MonthWalk(active, steps, walk(steps, count, level, active.weight, active.closure, coins))


def _volume(instrument: Instrument, month: str, seed: int, spread: IntArray) -> IntArray:
    drawn = words(Purpose.VOLUME, instrument, month, seed, 2 * len(spread)).reshape(2, -1)
    busy: IntArray = below(drawn, _MEAN_VOLUME + 1).sum(axis=0) * (spread + 1)
    return busy + 2


def _span(month: str) -> Span:
    span = span_of(month)
    if month < FIRST_MONTH:
        raise invalid(
            f"{month} can't be simulated.",
            fix=f"Use a month from {FIRST_MONTH} on, where the simulator's prices begin.",
            field="month",
        )
    return span
