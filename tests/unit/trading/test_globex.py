"""Globex's day: one clock for a single instant and for a year of bars."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from trading.globex import trading_day
from trading.instruments import get_instrument
from trading.sessions import MINUTE_NS, session_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ES = get_instrument("ES")


@pytest.mark.parametrize("year", [2017, 2024])
def test_under_the_present_hours_an_instant_and_a_bar_are_of_the_same_trading_day(year: int) -> None:
    start, end = (int(np.datetime64(f"{one}-01-01", "ns").astype(np.int64)) for one in (year, year + 1))
    edges = np.arange(start, end, 60 * MINUTE_NS)  # every hour, the minute before it, and one within it
    opens = np.concatenate((edges, edges - MINUTE_NS, edges + 17 * MINUTE_NS))
    days = session_of(ES, opens).session
    expected = [trading_day(EPOCH + timedelta(microseconds=int(ns) // 1_000)) for ns in opens]
    assert [date(1970, 1, 1) + timedelta(days=int(day)) for day in days] == expected


def test_a_day_starts_at_17_00_in_chicago() -> None:
    last = datetime(2023, 12, 25, 22, 59, tzinfo=UTC)  # 16:59 there
    assert trading_day(last) == date(2023, 12, 25)
    assert trading_day(last + timedelta(minutes=1)) == date(2023, 12, 26)
