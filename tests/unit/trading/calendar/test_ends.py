"""Session ends as they were: known answers from real bars and the exchange's own announcements."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from trading.calendar.ends import DATES, REGULAR_ENDS, RULES, day_of
from trading.instruments import INSTRUMENTS, get_instrument
from trading.sessions import MINUTE_NS, schedule_of, session_minutes, session_of, sessions_between

CHICAGO = ZoneInfo("America/Chicago")

REAL_BARS = [
    # Read off the last bar of real files of these sessions.
    ("ES", "2013-10-11", "16:15"),
    ("ES", "2020-01-06", "16:00"),
    ("ES", "2024-12-24", "12:15"),
    ("ES", "2025-01-09", "08:30"),
    ("ES", "2025-07-03", "12:15"),
    ("ES", "2025-07-04", "12:00"),
    ("ES", "2025-11-27", "12:00"),
    ("ES", "2025-11-28", "12:15"),
    ("GC", "2013-10-11", "16:15"),
    ("CL", "2023-11-23", "13:30"),
    ("CL", "2023-11-24", "12:45"),
    ("CL", "2024-09-02", "13:30"),
    ("CL", "2024-11-29", "13:45"),
    ("CL", "2025-07-04", "12:00"),
]
ANNOUNCED = [
    # The exchange's schedule of 2026, as users of pandas-market-calendars quoted it.
    ("CL", "2026-06-19", "12:00"),
    ("CL", "2026-07-03", "12:00"),
    ("CL", "2026-09-07", "13:30"),
    ("CL", "2026-11-27", "13:45"),
    ("CL", "2026-12-24", "12:45"),
    ("GC", "2026-06-19", "12:00"),
    ("GC", "2026-11-27", "13:45"),
    ("ES", "2026-04-03", "08:15"),
    ("ES", "2026-11-27", "12:15"),
    # Its press releases and notices.
    ("ES", "2012-10-29", "08:15"),
    ("ES", "2012-10-30", "08:15"),
    ("ZN", "2012-10-29", "11:00"),
    ("ZN", "2012-10-30", "16:00"),
    ("ES", "2012-11-16", "15:15"),
    ("ES", "2012-11-19", "16:15"),
    ("ES", "2015-09-18", "16:15"),
    ("ES", "2015-09-21", "16:00"),
    ("CL", "2015-09-18", "16:15"),
    ("CL", "2015-09-21", "16:00"),
    ("6E", "2015-09-18", "16:00"),
    ("ES", "2018-12-05", "08:30"),
    ("CL", "2018-12-05", "16:00"),
    ("6E", "2018-12-05", "16:00"),
    ("ZN", "2025-01-09", "12:15"),
    ("6E", "2025-01-09", "16:00"),
    ("GC", "2025-01-09", "16:00"),
    ("ES", "2013-07-03", "12:15"),
    ("ES", "2013-07-04", "10:30"),
    ("6E", "2013-07-04", "12:00"),
    ("CL", "2013-07-04", "12:15"),
]
COLLECTED = [
    # Early closes that Lean took from the exchange's yearly calendars.
    ("ES", "2010-04-02", "08:15"),
    ("ES", "2014-02-17", "10:30"),
    ("ES", "2014-05-26", "12:00"),
    ("ES", "2014-07-03", "12:15"),
    ("ES", "2023-04-07", "08:15"),
    ("CL", "2010-07-02", "15:15"),
    ("CL", "2014-02-17", "12:15"),
    ("CL", "2014-05-26", "12:00"),
    ("CL", "2021-11-25", "12:00"),
    ("CL", "2022-01-17", "13:30"),
    ("CL", "2019-12-24", "12:45"),
    ("6E", "2010-12-31", "12:15"),
    ("6E", "2012-10-05", "15:15"),
    ("6E", "2013-10-11", "16:00"),
    ("6E", "2015-05-22", "15:15"),
    ("6E", "2015-09-04", "16:00"),
    ("6E", "2021-11-25", "12:00"),
    ("6E", "2022-11-24", "16:00"),
    ("6E", "2024-12-24", "12:15"),
    ("6E", "2025-07-04", "12:00"),
    ("6E", "2025-11-28", "13:45"),
    ("6E", "2025-12-24", "12:45"),
    ("6E", "2026-04-03", "10:15"),
    ("ZN", "2011-07-01", "15:15"),
    ("ZN", "2014-08-29", "15:15"),
    ("ZN", "2021-04-02", "10:15"),
    ("ZN", "2024-06-19", "12:00"),
    # 2027: Juneteenth is observed on a Friday, Independence Day on a Monday.
    ("ES", "2027-06-18", "12:00"),
    ("CL", "2027-06-18", "12:00"),
    ("CL", "2027-07-05", "13:30"),
    ("CL", "2027-11-26", "13:45"),
]
NO_SESSION = [
    ("ES", "2010-12-24"),
    ("ES", "2012-01-02"),
    ("ES", "2021-12-24"),
    ("ES", "2024-03-29"),
    ("ES", "2025-04-18"),
    ("ES", "2025-12-25"),
    ("ES", "2027-03-26"),
    ("ES", "2027-12-24"),
    ("6E", "2024-03-29"),
    ("6E", "2025-04-18"),
    ("CL", "2015-04-03"),
    ("CL", "2023-04-07"),
    ("CL", "2026-04-03"),
    ("GC", "2022-12-26"),
    ("ZN", "2018-12-05"),
    ("ZN", "2024-03-29"),
]


def chicago(day: str, at: str) -> int:
    moment = datetime.combine(date.fromisoformat(day), time.fromisoformat(at), CHICAGO)
    return int(moment.timestamp()) * 10**9


@pytest.mark.parametrize(("symbol", "day", "end"), REAL_BARS + ANNOUNCED + COLLECTED)
def test_a_session_ends_when_it_ended(symbol: str, day: str, end: str) -> None:
    instrument, closed = get_instrument(symbol), chicago(day, end)
    index = session_of(instrument, np.array([closed - MINUTE_NS, closed], np.int64))
    assert index.session.tolist() == [day_of(day)] * 2
    assert index.in_session.tolist() == [True, False]
    assert index.session_last.tolist() == [closed - MINUTE_NS] * 2


@pytest.mark.parametrize(("symbol", "day"), NO_SESSION)
def test_a_day_on_which_nothing_trades_has_no_session_and_its_evening_belongs_to_the_next(
    symbol: str, day: str
) -> None:
    instrument = get_instrument(symbol)
    assert session_minutes(instrument, day_of(day)) == 0
    (following, *_) = sessions_between(instrument, day_of(day), day_of(day) + 5).tolist()
    assert following > day_of(day)
    evening = chicago(str(np.datetime64(following - 1, "D")), "17:00")
    index = session_of(instrument, np.array([evening - MINUTE_NS, evening], np.int64))
    assert index.in_session.tolist() == [False, True]
    assert index.session[1] == following
    assert index.session_open[1] == evening


@pytest.mark.parametrize("symbol", ["ES", "CL", "GC", "6E", "ZN"])
def test_sessions_from_2010_to_2027_are_weekdays_in_order_that_open_by_17_00_and_never_overlap(symbol: str) -> None:
    schedule = schedule_of(get_instrument(symbol).calendar)
    assert (np.diff(schedule.days) > 0).all()
    assert (schedule.opens < schedule.closes).all()
    assert (schedule.closes[:-1] <= schedule.opens[1:]).all()
    assert (schedule.break_starts <= schedule.break_ends).all()
    assert (schedule.break_ends <= schedule.closes).all()
    for year in range(2010, 2028):
        first, last = day_of(f"{year}-01-01"), day_of(f"{year}-12-31")
        weekdays = [day for day in range(first, last + 1) if (day + 3) % 7 < 5]
        days = sessions_between(get_instrument(symbol), first, last).tolist()
        assert set(days) <= set(weekdays)
        assert len(weekdays) - 4 <= len(days)


def test_before_2012_equity_indexes_open_at_15_30_after_an_ordinary_day_and_pause_at_16_30() -> None:
    es = get_instrument("ES")
    afternoon = [chicago("2011-03-08", at) for at in ("15:14", "15:15", "15:30", "16:29", "16:30", "16:59", "17:00")]
    index = session_of(es, np.array(afternoon, np.int64))
    assert index.in_session.tolist() == [True, False, True, True, False, False, True]
    assert index.session.tolist() == [day_of("2011-03-08")] * 2 + [day_of("2011-03-09")] * 5
    sunday, holiday = chicago("2011-03-13", "17:00"), chicago("2011-05-30", "17:00")
    opened = session_of(es, np.array([sunday, holiday], np.int64))
    assert opened.session_open.tolist() == [sunday, holiday]


def test_every_calendar_an_instrument_has_gets_ends_and_no_rule_names_another() -> None:
    calendars = {instrument.calendar for instrument in INSTRUMENTS.values()}
    named = {calendar for rule in (*RULES, *DATES, *REGULAR_ENDS) for calendar in rule.calendars}
    assert named == calendars


def test_ends_do_not_move_with_summer_time() -> None:
    for day in ("2026-03-06", "2026-03-09", "2026-10-30", "2026-11-02"):
        closed = chicago(day, "16:00")
        (last,) = session_of(get_instrument("ES"), np.array([closed - MINUTE_NS], np.int64)).session_last
        assert int(last) == closed - MINUTE_NS
