"""Simulated months: the same on every call, on the calendar and the tick grid, joined without a seam, never tame."""

import numpy as np
import pytest

from core.errors import GantryError
from integrations.simulator.months import simulate_month
from tests.factories.bars import equal, ns
from trading.bars.front import windows
from trading.bars.hashing import content_hash
from trading.bars.months import concatenate, split_months
from trading.bars.quality import MonthVerdict, assess
from trading.bars.schema import Bars, FloatArray
from trading.bars.ticks import off_grid
from trading.instruments import INSTRUMENTS, get_instrument
from trading.sessions import DAY_NS, MINUTE_NS, globex_minute, session_of

ES = get_instrument("ES")
MONTHS = tuple(f"2024-{number:02d}" for number in range(1, 13))


@pytest.fixture(scope="module")
def year() -> Bars:
    return concatenate([simulate_month(ES, month, 7) for month in MONTHS])


def moves(bars: Bars) -> FloatArray:
    """Log moves from bar to bar, between neighbours of one contract and session only."""
    same = (np.diff(bars.contract) == 0) & (np.diff(session_of(ES, bars.ts).session) == 0)
    found: FloatArray = np.diff(np.log(bars.close))[same]
    return found


def autocorrelation(series: FloatArray, lag: int) -> float:
    return float(np.corrcoef(series[:-lag], series[lag:])[0, 1])


def test_a_month_is_the_same_on_every_call_and_another_for_another_seed_month_or_symbol() -> None:
    first = simulate_month(ES, "2024-03", 7)
    assert equal(first, simulate_month(ES, "2024-03", 7))
    hashes = {
        content_hash(first, ES),
        content_hash(simulate_month(ES, "2024-03", 8), ES),
        content_hash(simulate_month(ES, "2024-04", 7), ES),
        content_hash(simulate_month(get_instrument("MES"), "2024-03", 7), ES),
    }
    assert len(hashes) == 4


@pytest.mark.parametrize("symbol", list(INSTRUMENTS))
def test_every_instrument_gets_bars_without_a_fault(symbol: str) -> None:
    instrument = INSTRUMENTS[symbol]
    bars = simulate_month(instrument, "2024-03", 1)
    report = assess(bars, instrument)
    assert report.verdict is MonthVerdict.OK, report.sentence()
    assert report.coverage > 0.95
    assert [part.month for part in split_months(bars)] == ["2024-03"]
    assert not any(off_grid(prices, instrument).any() for prices in bars.ohlc())
    assert session_of(instrument, bars.ts).in_session.all()
    assert (bars.volume > 0).all()


def test_bars_keep_to_the_calendar_with_its_holidays_breaks_and_weekends(year: Bars) -> None:
    pauses = np.diff(year.ts)[np.diff(year.ts) > 10 * MINUTE_NS]
    assert (pauses >= 60 * MINUTE_NS).all()
    assert (pauses > 40 * 60 * MINUTE_NS).sum() >= 50  # weekends
    christmas = (year.ts >= ns("2024-12-25T00:00")) & (year.ts < ns("2024-12-25T22:00"))
    assert not christmas.any()
    assert not (globex_minute(year.ts) // 60 == 16).any()  # the daily break, 16:00 to 17:00 in Chicago


def test_some_thin_minutes_have_no_bar_but_sessions_are_whole(year: Bars) -> None:
    missing = 1 - len(year) / (len(year) + (np.diff(year.ts) == 2 * MINUTE_NS).sum())
    assert 0.001 < missing < 0.05


def test_months_join_without_a_seam_while_closed_markets_leave_gaps(year: Bars) -> None:
    step = np.abs(np.diff(np.log(year.close)))
    month = year.ts.astype("datetime64[ns]").astype("datetime64[M]")
    within_session = np.diff(session_of(ES, year.ts).session) == 0
    seams = (np.diff(month.astype(np.int64)) != 0) & within_session
    assert seams.sum() >= 5
    assert step[seams].max() < 10 * np.median(step[within_session & (step > 0)])
    nights = ~within_session & (np.diff(year.contract) == 0)
    weekends = nights & (np.diff(year.ts) > DAY_NS)
    assert step[nights].mean() > 5 * step[within_session].mean()
    assert step[weekends].mean() > 1.5 * step[nights & ~weekends].mean()


def test_volatility_clusters_has_fat_tails_and_follows_the_clock(year: Bars) -> None:
    sizes = np.abs(moves(year))
    assert autocorrelation(sizes, 30) > 0.1
    assert abs(autocorrelation(moves(year), 1)) < 0.1
    returns = moves(year)
    assert float(((returns - returns.mean()) ** 4).mean() / returns.var() ** 2) > 4
    yearly = float(returns.std() * np.sqrt(252 * 1380))
    assert 0.1 < yearly < 0.4
    minute = globex_minute(year.ts)
    spread = year.high - year.low
    assert spread[(minute >= 500) & (minute < 530)].mean() > 1.5 * spread[(minute >= 60) & (minute < 180)].mean()
    assert (
        year.volume[(minute >= 500) & (minute < 530)].mean() > 1.5 * year.volume[(minute >= 60) & (minute < 180)].mean()
    )


def test_contracts_roll_four_times_a_year_at_another_price(year: Bars) -> None:
    assert year.contracts == ("ESH24", "ESM24", "ESU24", "ESZ24", "ESH25")
    (window,) = windows(year, ES)
    assert [(roll.old_contract, roll.new_contract) for roll in window.rolls] == list(
        zip(year.contracts[:-1], year.contracts[1:], strict=True)
    )
    assert all(roll.difference_ticks for roll in window.rolls)
    sessions = session_of(ES, year.ts).session
    turns = np.flatnonzero(np.diff(year.contract))
    assert (sessions[turns] != sessions[turns + 1]).all()  # a session is of one contract


def test_crude_oil_rolls_every_month() -> None:
    oil = get_instrument("CL")
    (window,) = windows(concatenate([simulate_month(oil, month, 7) for month in MONTHS[:3]]), oil)
    assert len(window.rolls) == 3


@pytest.mark.parametrize("month", ["2024-13", "2024", "March", "2024-1-1", "2024-1", "1850-01", "2060-01", ""])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(GantryError, match="YYYY-MM") as caught:
        simulate_month(ES, month, 1)
    assert caught.value.details[0].field == "month"


def test_a_month_before_prices_begin_is_refused() -> None:
    with pytest.raises(GantryError, match="2009-12 can't be simulated") as caught:
        simulate_month(ES, "2009-12", 1)
    assert caught.value.fix == "Use a month from 2010-01 on, where the simulator's prices begin."
    assert caught.value.details[0].field == "month"
