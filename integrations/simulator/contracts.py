"""Contracts of a simulated series: the front on each day, quarterly or monthly, and the carry of each."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from integrations.simulator.draws import Purpose, below, words
from integrations.simulator.levels import FIRST_MONTH, level_at
from trading.bars.contracts import MONTH_CODES
from trading.bars.schema import IntArray
from trading.instruments import Instrument
from trading.months import plus

_QUARTERLY: Final = (3, 6, 9, 12)
_EVERY_MONTH: Final = tuple(range(1, 13))
_EVEN_MONTHS: Final = (2, 4, 6, 8, 10, 12)
_CYCLES: Final = {"CL": _EVERY_MONTH, "MCL": _EVERY_MONTH, "GC": _EVEN_MONTHS, "MGC": _EVEN_MONTHS, "SI": _EVEN_MONTHS}
_ROLL_DAY: Final = 12  # the first session on or after this day of the delivery month is on the next contract
_CARRY_PERCENT: Final = 1
_FIXED_BEFORE: Final = 3  # months before delivery: no contract is the front that early


@dataclass(frozen=True, slots=True, eq=False)
class Contracts:
    """The contract of each of T bars.

    code: int32[T], position in names. names: in order of expiry. carry: int64[T], contract price minus walk, ticks.
    """

    code: NDArray[np.int32]
    names: tuple[str, ...]
    carry: IntArray


def contracts_of(instrument: Instrument, session: IntArray, seed: int) -> Contracts:
    """Return each bar's contract. session: int64[T], trading days, days since 1970, in order."""
    days, day_of_row = np.unique(session, return_inverse=True)
    delivery_of_day = [_delivery(instrument, _date(int(day))) for day in days]
    deliveries = sorted(set(delivery_of_day))
    code = np.array([deliveries.index(month) for month in delivery_of_day], np.int32)[day_of_row]
    carry = np.array([_carry(instrument, month, seed) for month in deliveries], np.int64)[code]
    return Contracts(code, tuple(_name(instrument, month) for month in deliveries), carry)


def _delivery(instrument: Instrument, day: date) -> str:
    """Return the delivery month, "YYYY-MM", of the contract traded on that trading day."""
    cycle = _CYCLES.get(instrument.symbol, _QUARTERLY)
    month = f"{day:%Y-%m}"
    if day.day >= _ROLL_DAY:
        month = plus(month, 1)
    while int(month[5:]) not in cycle:
        month = plus(month, 1)
    return month


def _name(instrument: Instrument, delivery: str) -> str:
    """Return the contract's name, such as ESH24."""
    return f"{instrument.symbol}{MONTH_CODES[int(delivery[5:]) - 1]}{delivery[2:4]}"


def _carry(instrument: Instrument, delivery: str, seed: int) -> int:
    """Return a contract's carry in ticks, up to a percent of the price either way, fixed before its first bar.

    It earns nobody anything: at a roll a position is closed at the old contract's price and opened at the new one's.
    """
    level = level_at(instrument, max(plus(delivery, -_FIXED_BEFORE), FIRST_MONTH), seed)
    most = level * _CARRY_PERCENT // 100
    return int(below(words(Purpose.CARRY, instrument, delivery, seed, 1), 2 * most + 1)[0]) - most


def _date(ordinal: int) -> date:
    """Return the date of a trading day counted in days since 1970."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + ordinal)
