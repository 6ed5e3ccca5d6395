"""Sessions: trading days, daily break, holidays, early closes, and bars outside the calendar."""

import time

import numpy as np
import pytest

from tests.factories.bars import ns
from trading.instruments import INSTRUMENTS, get_instrument
from trading.sessions import (
    MINUTE_NS,
    exchange_time_zone,
    expected_minutes,
    local_minute,
    schedule_of,
    session_minute,
    session_minutes,
    session_of,
    sessions_between,
    sessions_within,
)

ES = get_instrument("ES")


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def at(*times: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([ns(one) for one in times], np.int64)


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_every_instrument_has_a_calendar_with_a_daily_break(symbol: str) -> None:
    schedule = schedule_of(INSTRUMENTS[symbol].calendar)
    modern = schedule.opens > ns("2016-01-01")
    assert (schedule.opens[1:][modern[1:]] - schedule.closes[:-1][modern[1:]] >= 60 * MINUTE_NS).all()
    assert (np.diff(schedule.days) > 0).all()
    assert 250 <= len(sessions_between(INSTRUMENTS[symbol], day("2023-01-01"), day("2023-12-31"))) <= 260


@pytest.mark.parametrize(
    ("start", "end", "whole"),
    [
        ("2024-03-03T23:00", "2024-03-08T22:00", 5),  # Sunday's open to Friday's close
        ("2024-03-03T23:01", "2024-03-08T22:00", 4),
        ("2024-03-03T23:00", "2024-03-08T21:59", 4),
        ("2024-03-08T22:00", "2024-03-10T22:00", 0),  # a weekend
        ("2024-03-04T10:00", "2024-03-04T09:00", 0),
    ],
)
def test_only_whole_sessions_are_counted(start: str, end: str, whole: int) -> None:
    assert sessions_within(ES, ns(start), ns(end)) == whole


def test_an_evening_bar_belongs_to_the_next_trading_day() -> None:
    index = session_of(ES, at("2024-01-09T21:59", "2024-01-09T23:00"))
    assert index.session.tolist() == [day("2024-01-09"), day("2024-01-10")]
    assert index.in_session.all()
    assert index.session_open.tolist() == at("2024-01-08T23:00", "2024-01-09T23:00").tolist()
    assert index.session_last.tolist() == at("2024-01-09T21:59", "2024-01-10T21:59").tolist()


def test_a_sunday_evening_belongs_to_monday() -> None:
    assert session_of(ES, at("2024-01-07T23:00")).session.tolist() == [day("2024-01-08")]


def test_the_daily_break_is_outside_the_session_of_the_day_it_follows() -> None:
    index = session_of(ES, at("2024-01-09T22:00", "2024-01-09T22:59"))
    assert not index.in_session.any()
    assert index.session.tolist() == [day("2024-01-09")] * 2


def test_summer_time_moves_the_session_in_utc() -> None:
    index = session_of(ES, at("2024-03-08T22:30", "2024-03-11T22:00"))
    assert index.in_session.tolist() == [False, True]
    assert local_minute(ES, at("2024-03-08T22:30", "2024-03-11T22:00")).tolist() == [16 * 60 + 30, 17 * 60]


def test_an_early_close_ends_the_session() -> None:
    index = session_of(ES, at("2024-01-15T17:59", "2024-01-15T18:00"))
    assert index.in_session.tolist() == [True, False]
    assert index.session_last.tolist() == [ns("2024-01-15T17:59")] * 2


def test_bars_of_a_day_the_calendar_doesnt_know_form_a_session_of_their_own() -> None:
    times = at("2023-12-22T21:59", "2023-12-25T15:00", "2023-12-25T23:00")
    index = session_of(ES, times)
    assert index.session.tolist() == [day("2023-12-22"), day("2023-12-25"), day("2023-12-26")]
    assert index.in_session.tolist() == [True, False, True]
    assert index.session_open[1] == ns("2023-12-24T23:00")
    assert index.session_last[1] == index.session_open[1] - MINUTE_NS  # no end to rely on: each bar counts as the last


def test_sessions_never_go_backwards_in_time() -> None:
    for start in ("2004-03-01", "2008-06-01", "2013-10-01", "2023-12-15"):
        ts = np.arange(ns(start), ns(start) + 30 * 1440 * MINUTE_NS, MINUTE_NS)
        assert (np.diff(session_of(ES, ts).session) >= 0).all()


def test_expected_minutes_are_exactly_those_in_session() -> None:
    start, end = ns("2024-01-12T20:00"), ns("2024-01-16T12:00")
    every = np.arange(start, end, MINUTE_NS)
    assert np.array_equal(expected_minutes(ES, start, end), every[session_of(ES, every).in_session])


def test_a_full_session_has_1380_minutes_and_a_holiday_none() -> None:
    assert session_minutes(ES, day("2024-01-10")) == 1380
    assert session_minutes(ES, day("2024-01-15")) == 1140
    assert session_minutes(ES, day("2023-12-25")) == 0


def test_exchange_time_is_chicagos_or_new_yorks() -> None:
    assert exchange_time_zone(get_instrument("6E")) == "America/Chicago"
    assert exchange_time_zone(get_instrument("CL")) == "America/New_York"
    assert local_minute(get_instrument("CL"), at("2024-01-10T14:30")).tolist() == [9 * 60 + 30]


def test_a_sessions_minutes_are_counted_from_its_own_midnight_and_below_it_the_evening_before() -> None:
    times = at("2024-01-09T23:00", "2024-01-10T05:59", "2024-01-10T06:00", "2024-01-10T21:59")
    assert session_minute(ES, times, session_of(ES, times).session).tolist() == [-420, -1, 0, 959]
    crude = get_instrument("CL")
    assert session_minute(crude, times, session_of(crude, times).session).tolist() == [-360, 59, 60, 1019]


def test_a_year_of_minutes_is_placed_within_half_a_second() -> None:
    ts = expected_minutes(ES, ns("2024-01-01"), ns("2025-01-01"))
    began = time.perf_counter()
    session_of(ES, ts)
    assert time.perf_counter() - began < 0.5
