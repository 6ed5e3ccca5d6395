"""Which hours of a session some bars cover: all of it, or the day session alone.

The day session is what the trading floor's hours became ("regular trading hours"): an instrument of the same product
whose calendar is the exchange's, cut to those hours. Holidays and early ends are the exchange's own.

Source: CME Group's floor hours, Chicago time; equity futures settled at 15:15 until 2021 and at 15:00 since.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trading.instruments import Instrument, get_instrument


class Hours(StrEnum):
    """Which part of each session the bars cover."""

    ALL = "all"
    RTH = "rth"


@dataclass(frozen=True, slots=True)
class DayHours:
    """Minutes after midnight in Chicago; `start` inclusive, `end` exclusive."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start // 60:02d}:{self.start % 60:02d} to {self.end // 60:02d}:{self.end % 60:02d} Chicago time"


DAY_CALENDAR: Final = " day session"  # follows the name of the exchange's calendar
DAY_HOURS: Final = {
    "CME_Equity": DayHours(8 * 60 + 30, 15 * 60 + 15),
    "CMEGlobex_Energy": DayHours(8 * 60, 13 * 60 + 30),
    "CMEGlobex_Metals": DayHours(7 * 60 + 20, 12 * 60 + 30),
    "CMEGlobex_FX": DayHours(7 * 60 + 20, 14 * 60),
    "CME_InterestRate": DayHours(7 * 60 + 20, 14 * 60),
}


def instrument_of(symbol: str, hours: Hours) -> Instrument:
    """Return the instrument as its bars of those hours are judged.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol.

    """
    instrument = get_instrument(symbol)
    if hours is Hours.ALL:
        return instrument
    return replace(instrument, calendar=instrument.calendar + DAY_CALENDAR)


def hours_of(source_details: Mapping[str, object]) -> Hours:
    """Return which hours the bars of a file cover, from what is kept of their source."""
    return Hours(str(source_details.get("hours", Hours.ALL)))


def day_hours(instrument: Instrument) -> DayHours:
    """Return the day session of an instrument, of whichever hours."""
    return DAY_HOURS[instrument.calendar.removesuffix(DAY_CALENDAR)]
