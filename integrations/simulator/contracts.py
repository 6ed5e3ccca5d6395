"""Which contract is the front of a made series at a time: quarterly, or monthly for energy and metals."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from trading.bars.contracts import MONTH_CODES
from trading.instruments import Instrument

_QUARTERLY: Final = (3, 6, 9, 12)
_EVERY_MONTH: Final = tuple(range(1, 13))
_EVEN_MONTHS: Final = (2, 4, 6, 8, 10, 12)
_CYCLES: Final = {"CL": _EVERY_MONTH, "MCL": _EVERY_MONTH, "GC": _EVEN_MONTHS, "MGC": _EVEN_MONTHS, "SI": _EVEN_MONTHS}
_ROLL_DAY: Final = 12  # the first session on or after this day of the delivery month is on the next contract


@dataclass(frozen=True, slots=True)
class FrontMonth:
    """Delivery month of a contract. number: months since year 0, increasing with expiry."""

    number: int

    def name(self, symbol: str) -> str:
        """Return the contract's name, such as ESH24."""
        year, month = divmod(self.number, 12)
        return f"{symbol}{MONTH_CODES[month]}{year % 100:02d}"


def front_on(instrument: Instrument, day: date) -> FrontMonth:
    """Return the contract traded on that trading day."""
    cycle = _CYCLES.get(instrument.symbol, _QUARTERLY)
    number = day.year * 12 + day.month - 1
    if day.day >= _ROLL_DAY:
        number += 1
    while number % 12 + 1 not in cycle:
        number += 1
    return FrontMonth(number)


def date_of(ordinal: int) -> date:
    """Return the date of a trading day counted in days since 1970."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + ordinal)
