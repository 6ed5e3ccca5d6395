"""Trading sessions of an instrument: which trading day a bar belongs to, and which minutes the calendar allows.

A session is a trading day. CME Globex opens it at 17:00 Chicago time the day before and ends it at 16:00, with a daily
break of an hour, holidays and early closes; `trading.calendar` says when. Three kinds of days differ: one with an early
end is a session that ends early; one on which nothing trades has no session, and the evening after it belongs to the
next; and bars may lie on a day the calendar has no session for. Those still get a trading day, by the same 17:00 clock,
so that no bar is lost, but a session without an end to rely on: its bars all count as its ending.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trading import globex
from trading.bars.schema import IntArray
from trading.calendar import clock, holidays
from trading.calendar.clock import local_ns, utc_ns
from trading.calendar.schedule import Schedule, corrected, published
from trading.day_session import DAY_CALENDAR, DAY_HOURS
from trading.instruments import Instrument

MINUTE_NS: Final = clock.MINUTE_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = clock.DAY_NS
FIRST_YEAR: Final = holidays.FIRST_YEAR
LAST_YEAR: Final = holidays.LAST_YEAR
_DAY_STARTS_BEFORE_MIDNIGHT_NS: Final = (24 - globex.DAY_STARTS_HOUR) * 60 * MINUTE_NS
_EXCHANGE_TIME_ZONES: Final = {
    "CME": globex.TIME_ZONE,
    "CBOT": globex.TIME_ZONE,
    "NYMEX": "America/New_York",
    "COMEX": "America/New_York",
}


@dataclass(frozen=True, slots=True, eq=False)
class SessionIndex:
    """The session of each of T bars.

    session: int64[T], days since 1970 of the trading day. in_session: bool[T], whether the calendar allows the
    bar's open. session_open: int64[T] ns UTC, the session's first open. session_last: int64[T] ns UTC, open of
    the session's last one-minute bar; a bar later than it is outside the calendar. On a day without a session it lies
    a minute before the open: no bar of such a day has one after it to go home on.
    """

    session: IntArray
    in_session: NDArray[np.bool_]
    session_open: IntArray
    session_last: IntArray


@lru_cache(maxsize=16)
def schedule_of(calendar: str) -> Schedule:
    """Return a calendar's sessions from 1990 to 2060; computed once a process, in about 0.3 s."""
    if calendar.endswith(DAY_CALENDAR):
        return _day_part(calendar.removesuffix(DAY_CALENDAR))
    return corrected(calendar, published(calendar))


def exchange_time_zone(instrument: Instrument) -> str:
    """Return the IANA time zone of the instrument's exchange."""
    return _EXCHANGE_TIME_ZONES[instrument.exchange]


def session_of(instrument: Instrument, ts: IntArray) -> SessionIndex:
    """Return the session of each bar.

    ts: int64[T], ns UTC opens, from 1990 to 2060, in any order. 355,000 bars take under 50 ms once the
    calendar is cached.
    """
    schedule = schedule_of(instrument.calendar)
    at = np.maximum(np.searchsorted(schedule.opens, ts, side="right") - 1, 0)
    within = (ts >= schedule.opens[at]) & (ts < schedule.closes[at])
    allowed = within & ~((ts >= schedule.break_starts[at]) & (ts < schedule.break_ends[at]))
    session, opens, closes = schedule.days[at], schedule.opens[at], schedule.closes[at]
    outside = np.flatnonzero(~within)
    if len(outside):
        day = _clock_day(ts[outside])
        session[outside] = day
        opens[outside], closes[outside] = _bounds_of_days(schedule, day)
    return SessionIndex(session, allowed, opens, closes - MINUTE_NS)


def expected_minutes(instrument: Instrument, start_ns: int, end_ns: int) -> IntArray:
    """Return the opens of all minutes the calendar allows in [start_ns, end_ns): int64, ns UTC, increasing."""
    schedule = schedule_of(instrument.calendar)
    first = max(int(np.searchsorted(schedule.opens, start_ns, side="right")) - 1, 0)
    last = int(np.searchsorted(schedule.opens, end_ns, side="left"))
    parts = [_minutes_of(schedule, row) for row in range(first, last)]
    minutes = np.concatenate(parts) if parts else np.empty(0, np.int64)
    return minutes[(minutes >= start_ns) & (minutes < end_ns)]


def sessions_between(instrument: Instrument, first_day: int, last_day: int) -> IntArray:
    """Return the trading days from first_day to last_day, inclusive: int64, days since 1970."""
    days = schedule_of(instrument.calendar).days
    return days[np.searchsorted(days, first_day) : np.searchsorted(days, last_day, side="right")]


def holes_after(instrument: Instrument, days: IntArray) -> NDArray[np.bool_]:
    """Return bool[D - 1]: whether the calendar has a session between each of D increasing trading days and the next."""
    known = schedule_of(instrument.calendar).days
    after, before = np.searchsorted(known, days[:-1], side="right"), np.searchsorted(known, days[1:])
    return before > after


def sessions_closed(instrument: Instrument, start_ns: int, end_ns: int) -> IntArray:
    """Return the trading days whose session closed after start_ns and by end_ns: int64, days since 1970."""
    schedule = schedule_of(instrument.calendar)
    return schedule.days[(schedule.closes > start_ns) & (schedule.closes <= end_ns)]


def sessions_within(instrument: Instrument, start_ns: int, end_ns: int) -> int:
    """Return how many sessions opened at or after start_ns and closed by end_ns, both ns UTC."""
    schedule = schedule_of(instrument.calendar)
    return int(((schedule.opens >= start_ns) & (schedule.closes <= end_ns)).sum())


def session_minutes(instrument: Instrument, day: int) -> int:
    """Return how many minutes the calendar allows on a trading day (days since 1970); 0 on a day without a session."""
    schedule = schedule_of(instrument.calendar)
    row = int(np.searchsorted(schedule.days, day))
    if row == len(schedule.days) or schedule.days[row] != day:
        return 0
    open_ns = schedule.closes[row] - schedule.opens[row] - (schedule.break_ends[row] - schedule.break_starts[row])
    return int(open_ns // MINUTE_NS)


def local_minute(instrument: Instrument, ts: IntArray) -> IntArray:
    """Return int64[T], minutes after midnight of each open in the exchange's time, 0 to 1439."""
    return local_ns(ts, exchange_time_zone(instrument)) % DAY_NS // MINUTE_NS


def session_minute(instrument: Instrument, ts: IntArray, session: IntArray) -> IntArray:
    """Return int64[T], minutes of each open from midnight of its trading day in the exchange's time.

    Negative on the evening before; session: int64[T], days since 1970.
    """
    return (local_ns(ts, exchange_time_zone(instrument)) - session * DAY_NS) // MINUTE_NS


def globex_minute(ts: IntArray) -> IntArray:
    """Return int64[T], minutes after midnight of each open in Chicago, where Globex's day is defined."""
    return local_ns(ts, globex.TIME_ZONE) % DAY_NS // MINUTE_NS


def _day_part(calendar: str) -> Schedule:
    """The sessions of a calendar cut to the hours of the day session; those that end before it are left out."""
    whole, hours = schedule_of(calendar), DAY_HOURS[calendar]
    opens, ends = (
        utc_ns(whole.days * DAY_NS + minute * MINUTE_NS, globex.TIME_ZONE) for minute in (hours.start, hours.end)
    )
    opens, closes = np.maximum(opens, whole.opens), np.minimum(ends, whole.closes)
    some = opens < closes
    closes = closes[some]
    return Schedule(whole.days[some], opens[some], closes, closes, closes)


def _clock_day(ts: IntArray) -> IntArray:
    return (local_ns(ts, globex.TIME_ZONE) + _DAY_STARTS_BEFORE_MIDNIGHT_NS) // DAY_NS


def _bounds_of_days(schedule: Schedule, day: IntArray) -> tuple[IntArray, IntArray]:
    """Open and close of each trading day: the calendar's, else 17:00 the day before, where it ends at once."""
    at = np.minimum(np.searchsorted(schedule.days, day), len(schedule.days) - 1)
    known = schedule.days[at] == day
    opens = utc_ns(day * DAY_NS - _DAY_STARTS_BEFORE_MIDNIGHT_NS, globex.TIME_ZONE)
    return np.where(known, schedule.opens[at], opens), np.where(known, schedule.closes[at], opens)


def _minutes_of(schedule: Schedule, row: int) -> IntArray:
    minutes: IntArray = np.arange(schedule.opens[row], schedule.closes[row], MINUTE_NS, dtype=np.int64)
    pause = (minutes >= schedule.break_starts[row]) & (minutes < schedule.break_ends[row])
    allowed: IntArray = minutes[~pause]
    return allowed
