"""Globex's day: a trading day begins at 17:00 Chicago time on the day before."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

TIME_ZONE: Final = "America/Chicago"
DAY_STARTS_HOUR: Final = 17  # of the day before
_INTO_NEXT_DAY: Final = timedelta(hours=24 - DAY_STARTS_HOUR)
_CHICAGO: Final = ZoneInfo(TIME_ZONE)


@lru_cache(maxsize=4096)
def trading_day(at: datetime) -> date:
    """Return the trading day of an instant by Globex's clock alone, without a calendar. at: aware."""
    return (at.astimezone(_CHICAGO) + _INTO_NEXT_DAY).date()
