"""The days on which Globex ends early: United States holidays as CME Group observes them, and the days beside them."""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pandas import Timestamp
from pandas.tseries.holiday import (
    GoodFriday,
    Holiday,
    USColumbusDay,
    USLaborDay,
    USMartinLutherKingJr,
    USMemorialDay,
    USPresidentsDay,
    USThanksgivingDay,
    nearest_workday,
)

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2060
MONDAY: Final = 0
FRIDAY: Final = 4
_MONDAY_TO_THURSDAY: Final = (0, 1, 2, 3)
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday
_GOOD_FRIDAY_OF_PAYROLLS_UNTIL: Final = 7  # of April
_JUNETEENTH: Final = Holiday(
    "Juneteenth", month=6, day=19, start_date=Timestamp("2022-06-19"), observance=nearest_workday
)
_INDEPENDENCE: Final = Holiday("Independence Day", month=7, day=4, observance=nearest_workday)
# From Monday to Thursday only: when the 24th is a Friday, Christmas is observed on it; 3 July is short when the 4th
# is a Tuesday to a Friday.
_CHRISTMAS_EVE: Final = Holiday("Christmas Eve", month=12, day=24, days_of_week=_MONDAY_TO_THURSDAY)
_THIRD_OF_JULY: Final = Holiday("3 July", month=7, day=3, days_of_week=_MONDAY_TO_THURSDAY)
_HOLIDAYS: Final = (
    USMartinLutherKingJr,
    USPresidentsDay,
    USMemorialDay,
    _JUNETEENTH,
    _INDEPENDENCE,
    USLaborDay,
    USThanksgivingDay,
)

Days = NDArray[np.int64]
DayRule = Callable[[], Days]


@cache
def holidays() -> Days:
    """Return the days off on which Globex opens all the same: int64, days since 1970, increasing.

    Martin Luther King Day, Presidents Day, Memorial Day, Juneteenth (from 2022), Independence Day, Labor Day and
    Thanksgiving, as observed. On Christmas and New Year's Day nothing trades; Good Friday has rules of its own.
    """
    return np.sort(np.concatenate([days_of(one) for one in _HOLIDAYS]))


def friday_holidays() -> Days:
    """Return the holidays that are observed on a Friday."""
    return _on_weekday(holidays(), FRIDAY)


def fridays_before_monday_holidays() -> Days:
    """Return the Fridays before a holiday on a Monday, Columbus Day left out."""
    return _on_weekday(holidays(), MONDAY) - 3


def fridays_before_columbus_day() -> Days:
    """Return the Fridays before Columbus Day."""
    return days_of(USColumbusDay) - 3


def good_fridays() -> Days:
    """Return every Good Friday."""
    return days_of(GoodFriday)


def good_fridays_of_payrolls() -> Days:
    """Return the Good Fridays on which the monthly employment report appears: the first Friday of April."""
    days = good_fridays()
    dates = days.astype("datetime64[D]")
    of_month = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    early: Days = days[of_month <= _GOOD_FRIDAY_OF_PAYROLLS_UNTIL]
    return early


def fridays_after_thanksgiving() -> Days:
    """Return the day after each Thanksgiving."""
    return days_of(USThanksgivingDay) + 1


def christmas_eves() -> Days:
    """Return each 24 December that is a Monday to a Thursday."""
    return days_of(_CHRISTMAS_EVE)


def thirds_of_july() -> Days:
    """Return each 3 July that is the day before the holiday's own weekday, Tuesday to Friday."""
    return days_of(_THIRD_OF_JULY)


def days_of(holiday: Holiday) -> Days:
    """Return the days of a holiday from 1990 to 2060, as observed: int64, days since 1970."""
    dates = holiday.dates(Timestamp(FIRST_YEAR, 1, 1), Timestamp(LAST_YEAR, 12, 31))
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def _on_weekday(days: Days, weekday: int) -> Days:
    kept: Days = days[(days + _EPOCH_WEEKDAY) % 7 == weekday]
    return kept
