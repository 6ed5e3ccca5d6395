"""No strategy that goes home flat holds a position over any session end from 2010 to 2027, in any group of products."""

import os
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from tests.factories.bars import bars_at
from trading.backtest.run import run_backtest
from trading.backtest.types import BacktestResult, Costs
from trading.bars.front import windows
from trading.bars.resample import resample
from trading.bars.schema import Bars, IntArray, Timeframe
from trading.bars.ticks import from_ticks
from trading.calendar.ends import day_of
from trading.instruments import Instrument, get_instrument
from trading.sessions import DAY_NS, MINUTE_NS, schedule_of
from trading.strategies.base import FLAT, HOLD, Decisions, MarketView
from trading.strategies.donchian_breakout import DonchianBreakout, DonchianBreakoutParams
from trading.strategies.registry import get_strategy

WALKS = range(int(os.environ.get("GANTRY_CHAOS_ROUNDS", "1")))  # as many other walks as wanted
GROUPS = ["ES", "CL", "GC", "6E", "ZN"]
FIRST, LAST = day_of("2010-01-01"), day_of("2027-12-31")
BEGIN_MINUTES: Final = 12
END_MINUTES: Final = 240  # four bars of an hour
# In the market at nearly every bar, so that every end would be held over if nothing prevented it.
EAGER: Final[dict[str, dict[str, object]]] = {
    "donchian_breakout": {"channel": 2, "entry_from": "00:00", "entry_until": "15:59", "flatten_at": "15:59"},
    "vwap_reversion": {"min_bars": 1, "width": 0.1},
}


def minutes_around_ends(instrument: Instrument) -> IntArray:
    """Return the first and the last minutes of every session of those years: int64, ns UTC."""
    schedule = schedule_of(instrument.calendar)
    within = (schedule.days >= FIRST) & (schedule.days <= LAST)
    opens, closes = schedule.opens[within], schedule.closes[within]
    begin = opens[:, None] + np.arange(BEGIN_MINUTES) * MINUTE_NS
    end = closes[:, None] - np.arange(END_MINUTES, 0, -1) * MINUTE_NS
    minutes: IntArray = np.concatenate((begin, end), axis=1).ravel()
    return minutes


def walk_around_ends(instrument: Instrument, seed: int) -> Bars:
    """Return a random walk on those minutes, so restless that breakouts and bands are left all the time."""
    ts, rng = minutes_around_ends(instrument), np.random.default_rng(seed)
    close = 100_000 + np.cumsum(rng.integers(-9, 10, len(ts)))
    opened = np.concatenate((close[:1], close[:-1]))
    walk = replace(
        bars_at(ts, symbol=instrument.symbol),
        open=from_ticks(opened, instrument),
        high=from_ticks(np.maximum(opened, close), instrument),
        low=from_ticks(np.minimum(opened, close), instrument),
        close=from_ticks(close, instrument),
    )
    return replace(walk, volume=rng.integers(1, 99, len(ts)))


def held_over_ends(result: BacktestResult) -> IntArray:
    """Return the sessions at whose end a position was held: int64, days since 1970."""
    entered, left = result.session[result.trades.entry_bar], result.session[result.trades.exit_bar]
    held = entered[entered != left]
    return held if result.open_position is None else np.append(held, result.session[-1])


def results(symbol: str, strategy: str, raw: dict[str, object], seed: int, timeframe: Timeframe) -> BacktestResult:
    instrument, rule = get_instrument(symbol), get_strategy(strategy)
    bars = resample(walk_around_ends(instrument, seed), timeframe, instrument)
    return run_backtest(windows(bars, instrument), rule, rule.parse(raw), instrument, Costs.default(instrument))


@pytest.mark.parametrize("seed", WALKS)
@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M5, Timeframe.H1])
@pytest.mark.parametrize("strategy", EAGER)
@pytest.mark.parametrize("symbol", GROUPS)
def test_no_position_is_held_over_any_session_end(symbol: str, strategy: str, timeframe: Timeframe, seed: int) -> None:
    result = results(symbol, strategy, EAGER[strategy], seed, timeframe)
    sessions = np.unique(result.session)
    assert len(sessions) > 4_600
    assert len(np.unique(result.session[result.trades.entry_bar])) > 0.6 * len(sessions)
    assert [str(np.datetime64(day, "D")) for day in held_over_ends(result).tolist()] == []


@pytest.mark.parametrize("strategy", EAGER)
@pytest.mark.parametrize("symbol", GROUPS)
def test_in_the_usual_hours_nothing_is_held_over_an_end_either(symbol: str, strategy: str) -> None:
    raw: dict[str, object] = {"channel": 5} if strategy == "donchian_breakout" else {"min_bars": 5}
    result = results(symbol, strategy, raw, 7, Timeframe.M1)
    assert len(result.trades) > 1_000
    assert held_over_ends(result).tolist() == []


@pytest.mark.parametrize("strategy", EAGER)
def test_what_goes_home_fills_at_the_open_of_the_sessions_last_bar(strategy: str) -> None:
    result = results("ES", strategy, EAGER[strategy], 3, Timeframe.M1)
    schedule = schedule_of(get_instrument("ES").calendar)
    last_of = dict(zip(schedule.days.tolist(), (schedule.closes - MINUTE_NS).tolist(), strict=True))
    last = np.array([last_of[day] for day in result.session[result.trades.exit_bar].tolist()])
    assert (result.trades.exit_ns <= last).all()
    at_end = result.session[result.trades.exit_bar][result.trades.exit_ns == last]
    assert len(at_end) > 1_000


class ByTheClock(DonchianBreakout):
    """Goes home at four in the afternoon, whatever the calendar says: what this test must find."""

    def decide(self, view: MarketView, params: DonchianBreakoutParams) -> Decisions:
        """Return the breakouts, FLAT from 15:59 on."""
        decisions = super().decide(replace(view, session_ending=np.zeros_like(view.session_ending)), params)
        target = np.where((decisions.target == FLAT) & (view.local_minute < 959), HOLD, decisions.target)
        return Decisions(target.astype(np.int8))


def test_a_strategy_that_goes_home_by_the_clock_is_found_to_hold_over_early_ends() -> None:
    es, rule = get_instrument("ES"), ByTheClock()
    bars = walk_around_ends(es, 0)
    params = rule.parse(EAGER["donchian_breakout"])
    held = held_over_ends(run_backtest(windows(bars, es), rule, params, es, Costs.default(es)))
    assert {day_of("2024-11-29"), day_of("2024-12-24"), day_of("2025-07-03"), day_of("2026-11-27")} <= set(
        held.tolist()
    )


def test_on_a_day_without_a_session_nothing_is_entered() -> None:
    es = get_instrument("ES")
    christmas = day_of("2024-12-25") * DAY_NS + np.arange(8 * 60, 20 * 60) * MINUTE_NS
    bars = replace(walk_around_ends(es, 1).take(slice(0, len(christmas))), ts=christmas)
    for strategy, raw in EAGER.items():
        rule = get_strategy(strategy)
        result = run_backtest(windows(bars, es), rule, rule.parse(raw), es, Costs.default(es))
        assert (len(result.trades), result.open_position) == (0, None)
