"""Halts of the exchange itself: known ones, by instrument and time."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.factories.bars import ns
from trading.calendar.halts import KNOWN_HALTS, halts_between
from trading.instruments import INSTRUMENTS, get_instrument
from trading.sessions import MINUTE_NS, session_of

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_every_product_stood_still_from_thanksgiving_evening_to_the_friday_morning_of_2025(symbol: str) -> None:
    (halt,) = halts_between(get_instrument(symbol), ns("2025-11-27T23:00"), ns("2025-11-28T22:00"))
    assert halt.start == datetime(2025, 11, 27, 20, 45, tzinfo=CHICAGO)
    assert halt.end == datetime(2025, 11, 28, 7, 30, tzinfo=CHICAGO)
    assert (halt.start_ns, halt.end_ns) == (ns("2025-11-28T02:45"), ns("2025-11-28T13:30"))


def test_metals_alone_were_halted_on_a_day_of_february_2026() -> None:
    day = ns("2026-02-25"), ns("2026-02-26")
    assert {symbol for symbol in INSTRUMENTS if halts_between(get_instrument(symbol), *day)} == {"GC", "MGC", "SI"}


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2025-11-28T02:00", "2025-11-28T02:45", 0),  # ends as the halt begins
        ("2025-11-28T02:00", "2025-11-28T02:46", 1),
        ("2025-11-28T13:29", "2025-11-28T14:00", 1),
        ("2025-11-28T13:30", "2025-11-28T14:00", 0),
        ("2014-01-01", "2026-01-01", 4),
    ],
)
def test_a_halt_is_found_by_any_minute_of_it(start: str, end: str, count: int) -> None:
    assert len(halts_between(get_instrument("ES"), ns(start), ns(end))) == count


def test_every_halt_lies_inside_one_session_and_names_what_happened_and_a_source() -> None:
    for halt in KNOWN_HALTS:
        assert timedelta(0) < halt.end - halt.start < timedelta(hours=12)
        assert halt.what.endswith(".")
        assert halt.source
        for instrument in INSTRUMENTS.values():
            if instrument.calendar in halt.calendars:
                index = session_of(instrument, np.array([halt.start_ns, halt.end_ns - MINUTE_NS], np.int64))
                assert index.in_session.all()
                assert index.session[0] == index.session[1]
    assert all(first.end < second.start for first, second in pairwise(KNOWN_HALTS))


def test_halts_name_calendars_that_instruments_have() -> None:
    known = {instrument.calendar for instrument in INSTRUMENTS.values()}
    assert all(halt.calendars <= known for halt in KNOWN_HALTS)
