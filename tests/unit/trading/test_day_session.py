"""The day session of a product: its hours, its holidays, and how its bars are judged."""

import numpy as np
import pytest

from tests.factories.report_files import day_session
from tests.factories.written_bars import bars_of_walk
from trading.bars.quality import MonthVerdict, assess
from trading.day_session import DAY_HOURS, Hours, day_hours, hours_of, instrument_of
from trading.instruments import INSTRUMENTS
from trading.sessions import expected_minutes, globex_minute, session_minutes, sessions_between

WEEK = bars_of_walk("ES", "2024-01-07T23:00", 5 * 1380, contract="ESH4")
ES_DAY = instrument_of("ES", Hours.RTH)


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.mark.parametrize(
    ("symbol", "words"),
    [("ES", "08:30 to 15:15"), ("CL", "08:00 to 13:30"), ("GC", "07:20 to 12:30"), ("6E", "07:20 to 14:00")],
)
def test_the_hours_are_those_of_the_floor(symbol: str, words: str) -> None:
    assert str(day_hours(instrument_of(symbol, Hours.RTH))) == f"{words} Chicago time"


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_every_instrument_has_a_day_session_within_its_own(symbol: str) -> None:
    hours, of_day = DAY_HOURS[INSTRUMENTS[symbol].calendar], instrument_of(symbol, Hours.RTH)
    minutes = expected_minutes(of_day, ns("2024-01-01"), ns("2024-12-31"))
    whole = expected_minutes(INSTRUMENTS[symbol], ns("2024-01-01"), ns("2024-12-31"))
    assert np.isin(minutes, whole).all()
    clock = globex_minute(minutes)
    assert (int(clock.min()), int(clock.max())) == (hours.start, hours.end - 1)
    assert session_minutes(of_day, day("2024-01-10")) == hours.end - hours.start


def test_a_holidays_early_end_is_the_day_sessions_too_and_a_closed_day_has_none() -> None:
    assert session_minutes(ES_DAY, day("2024-11-29")) < session_minutes(ES_DAY, day("2024-11-27")) == 405
    assert day("2024-12-25") not in sessions_between(ES_DAY, day("2024-12-23"), day("2024-12-27")).tolist()


def test_bars_of_the_day_session_are_whole_by_their_own_calendar_and_unfit_by_the_exchanges() -> None:
    bars = day_session(WEEK)
    report = assess(bars, ES_DAY)
    assert (report.verdict, report.coverage, report.problems) == (MonthVerdict.OK, 1.0, ())
    assert assess(bars, instrument_of("ES", Hours.ALL)).verdict is MonthVerdict.BLOCKED


def test_a_gap_within_the_day_session_is_a_gap() -> None:
    bars = day_session(WEEK)
    report = assess(bars.take((globex_minute(bars.ts) < 600) | (globex_minute(bars.ts) >= 700)), ES_DAY)
    assert report.verdict is MonthVerdict.BLOCKED
    assert [gap.minutes for gap in report.gaps] == [100] * 5


def test_hours_that_a_source_says_nothing_of_are_all() -> None:
    assert hours_of({}) is Hours.ALL
    assert hours_of({"hours": "rth"}) is Hours.RTH
