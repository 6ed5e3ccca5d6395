"""The guards catch what they are there for, and let honest strategies pass."""

from collections.abc import Callable
from dataclasses import fields
from itertools import count
from typing import Any

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories import leaks
from tests.factories.leaks import Faulty, NoParams, honest
from tests.factories.walks import instrument_of, walk
from trading.backtest.findings import (
    LOOK_AHEAD,
    Check,
    CheckOutcome,
    Finding,
    as_json,
    disqualifying,
    from_json,
    look_ahead_passed,
)
from trading.backtest.guards import PROBE_BARS, run_guards
from trading.backtest.guards import session as session_guard
from trading.backtest.run import run_backtest
from trading.backtest.types import BacktestResult, Costs, Trades
from trading.backtest.view import market_view
from trading.bars.quality_types import stamp
from trading.bars.series import Window
from trading.strategies.base import HOLD, LONG, SHORT, MarketView, Params, Strategy
from trading.strategies.registry import STRATEGIES


@pytest.fixture(scope="module")
def windows() -> tuple[Window, ...]:
    return walk(4, 11)


def graded(windows: tuple[Window, ...], strategy: Strategy, params: Params | None = None) -> BacktestResult:
    instrument = instrument_of(windows[0])
    return run_backtest(windows, strategy, params or NoParams(), instrument, Costs.default(instrument))


def findings(windows: tuple[Window, ...], strategy: Strategy, params: Params | None = None) -> dict[Check, Finding]:
    instrument = instrument_of(windows[0])
    result = graded(windows, strategy, params)
    found = run_guards(windows, strategy, params or NoParams(), instrument, result)
    return {finding.name: finding for finding in found}


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
def test_every_strategy_of_the_registry_passes_all_guards(windows: tuple[Window, ...], strategy: Strategy) -> None:
    found = findings(windows, strategy, strategy.parse({}))
    assert {name: finding.message for name, finding in found.items() if not finding.passed} == {}
    assert set(found) == {Check.TRUNCATION, Check.SHIFT, Check.DETERMINISM, Check.WARM_UP, Check.SESSION}


def test_an_honest_rule_passes_all_guards(windows: tuple[Window, ...]) -> None:
    assert all(finding.passed for finding in findings(windows, Faulty(honest)).values())


@pytest.mark.parametrize("rule", leaks.READS_AHEAD, ids=lambda rule: rule.__name__)
def test_a_strategy_that_reads_ahead_is_caught(windows: tuple[Window, ...], rule: Callable[[MarketView], Any]) -> None:
    found = findings(windows, Faulty(rule))
    assert look_ahead_passed(found.values()) is False


@pytest.mark.parametrize(
    "rule",
    [leaks.next_close, leaks.next_open, leaks.next_close_wrapped, leaks.whole_mean, leaks.session_close],
    ids=lambda rule: rule.__name__,
)
def test_changing_later_bars_alone_catches_a_read_of_their_prices(
    windows: tuple[Window, ...], rule: Callable[[MarketView], Any]
) -> None:
    shift = findings(windows, Faulty(rule))[Check.SHIFT]
    assert not shift.passed
    assert "the future is read" in shift.message
    assert shift.observed


@pytest.mark.parametrize("rule", [leaks.bars_left, leaks.needs_the_future], ids=lambda rule: rule.__name__)
def test_only_cutting_bars_off_catches_a_read_of_where_they_end(
    windows: tuple[Window, ...], rule: Callable[[MarketView], Any]
) -> None:
    found = findings(windows, Faulty(rule))
    assert not found[Check.TRUNCATION].passed
    assert found[Check.SHIFT].passed


@pytest.mark.parametrize(
    ("rule", "reads"),
    [(leaks.next_close, ("close",)), (leaks.next_open, ("open",))],
    ids=lambda rule: getattr(rule, "__name__", ""),
)
def test_a_read_of_the_future_is_shown_with_its_bar_its_time_and_what_is_read(
    windows: tuple[Window, ...], rule: Callable[[MarketView], Any], reads: tuple[str, ...]
) -> None:
    found = findings(windows, Faulty(rule))[Check.SHIFT]
    where = found.where
    assert where is not None
    assert (where.value, where.reads) == ("target", reads)
    view = market_view(windows[0], instrument_of(windows[0]))
    assert where.at == stamp(view.ts[where.bar])
    target = rule(view)[where.bar]
    assert where.before == {HOLD: "HOLD", LONG: "LONG", SHORT: "SHORT"}[int(target)]
    assert where.after in {"HOLD", "LONG", "SHORT"} - {where.before}
    assert f"At bar {where.bar} ({where.at}) target is {where.before}" in found.message


def test_a_stop_that_the_future_decides_is_shown_as_the_value_that_moves(windows: tuple[Window, ...]) -> None:
    where = findings(windows, Faulty(leaks.stop_from_the_future))[Check.SHIFT].where
    assert where is not None
    assert (where.value, where.reads) == ("stop_ticks", ("low",))
    assert int(where.before) != int(where.after)


def test_a_bar_is_counted_over_all_windows(windows: tuple[Window, ...]) -> None:
    short = first(windows[0], 500)
    alone = findings(windows, Faulty(leaks.next_close))[Check.SHIFT].where
    second = findings((short, *windows), Faulty(leaks.next_close))[Check.SHIFT].where
    assert alone is not None
    assert second is not None
    assert (second.bar, second.at) == (alone.bar + 500, alone.at)


def test_a_leak_of_long_windows_only_is_caught_too() -> None:
    def sly(view: MarketView) -> Any:
        return leaks.next_close(view) if len(view) > PROBE_BARS else honest(view)

    assert look_ahead_passed(findings(walk(21, 12), Faulty(sly)).values()) is False


def test_a_strategy_that_remembers_is_caught(windows: tuple[Window, ...]) -> None:
    calls = count()

    def remembers(view: MarketView) -> Any:
        target = honest(view)
        target[10 + next(calls)] = LONG
        return target

    found = findings(windows, Faulty(remembers))[Check.DETERMINISM]
    assert not found.passed
    assert found.observed


def test_a_strategy_that_rolls_dice_is_caught(windows: tuple[Window, ...]) -> None:
    dice = np.random.default_rng(3)

    def gambles(view: MarketView) -> Any:
        return dice.integers(-1, 2, len(view)).astype(np.int8)

    found = findings(windows, Faulty(gambles))
    assert not found[Check.DETERMINISM].passed


def test_a_strategy_that_writes_into_the_bars_is_stopped(windows: tuple[Window, ...]) -> None:
    def scribbles(view: MarketView) -> Any:
        view.close[5] = 0.0
        return honest(view)

    with pytest.raises(GantryError, match="read-only") as caught:
        findings(windows, Faulty(scribbles))
    assert caught.value.code is ErrorCode.STRATEGY_ERROR


def test_a_decision_before_the_warm_up_is_caught(windows: tuple[Window, ...]) -> None:
    found = findings(windows, Faulty(honest, warmup=50))[Check.WARM_UP]
    assert not found.passed
    assert found.observed


def test_a_window_shorter_than_the_warm_up_proves_nothing() -> None:
    strategy = STRATEGIES["sma_cross"]
    found = findings(walk(0.05, 1), strategy, strategy.parse({}))
    assert not found[Check.WARM_UP].passed
    assert "leaves none" in found[Check.WARM_UP].message


def test_one_bar_proves_nothing(windows: tuple[Window, ...]) -> None:
    found = findings(walk(0.0007, 1), Faulty(honest))
    assert (found[Check.TRUNCATION].passed, found[Check.TRUNCATION].observed) == (False, None)
    assert look_ahead_passed(found.values()) is None
    assert disqualifying(found.values()) is None


def test_a_fill_outside_the_sessions_is_caught(windows: tuple[Window, ...]) -> None:
    result = graded(windows, Faulty(honest))
    instrument = instrument_of(windows[0])
    assert session_guard(instrument, result).passed
    saturday = 1_717_840_800_000_000_000  # 2024-06-08 10:00 UTC
    moved = {spec.name: getattr(result.trades, spec.name) for spec in fields(Trades)}
    moved["exit_ns"] = np.append(moved["exit_ns"][:-1], saturday)
    beyond = BacktestResult(Trades(**moved), result.ts, result.session, result.equity_e4, None, "made")
    found = session_guard(instrument, beyond)
    assert (found.passed, found.observed) == (False, 1)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
def test_cutting_the_bars_leaves_every_earlier_trade_as_it_was(strategy: Strategy) -> None:
    params = strategy.parse({})
    (window,) = walk(4, 11)
    whole, cut = graded((window,), strategy, params), graded((first(window, 2500),), strategy, params)
    assert 0 < len(cut.trades) < len(whole.trades)
    for spec in fields(Trades):
        assert np.array_equal(getattr(whole.trades, spec.name)[: len(cut.trades)], getattr(cut.trades, spec.name))
    assert np.array_equal(whole.equity_e4[:2500], cut.equity_e4)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
def test_the_same_bars_and_parameters_give_identical_trades(strategy: Strategy) -> None:
    params = strategy.parse({})
    one, other = graded(walk(2, 4), strategy, params), graded(walk(2, 4), strategy, params)
    assert all(
        getattr(one.trades, spec.name).tobytes() == getattr(other.trades, spec.name).tobytes()
        for spec in fields(Trades)
    )
    assert one.equity_e4.tobytes() == other.equity_e4.tobytes()


def test_what_explains_other_failures_disqualifies_before_them_and_odd_bars_disqualify_nobody() -> None:
    failed = {check: Finding(check, False, 1, f"{check} failed") for check in Check}
    assert disqualifying(failed.values()) is failed[Check.DETERMINISM], "dice moved the decision, not later bars"
    del failed[Check.DETERMINISM]
    assert disqualifying(failed.values()) is failed[Check.SHIFT]
    del failed[Check.SHIFT], failed[Check.TRUNCATION]
    assert disqualifying(failed.values()) is failed[Check.WARM_UP]
    del failed[Check.WARM_UP]
    assert disqualifying(failed.values()) is None


def test_what_a_session_stores_is_read_back_with_its_outcome() -> None:
    found = (
        Finding(Check.SHIFT, False, 2, "Two cuts moved."),
        Finding(Check.WARM_UP, False, None, "No bars."),
        Finding(Check.SESSION, True, 0, "None."),
    )
    read = from_json(as_json(found) | {"a_retired_check": {"passed": False}})
    assert read == found
    assert [one.outcome for one in read] == [CheckOutcome.FAILED, CheckOutcome.UNPROVEN, CheckOutcome.PASSED]


def test_no_verdict_on_look_ahead_without_both_guards() -> None:
    passed = [Finding(check, True, 0, "") for check in LOOK_AHEAD]
    assert look_ahead_passed(passed) is True
    assert look_ahead_passed(passed[:1]) is None
    assert look_ahead_passed([]) is None


def test_findings_are_stored_by_name() -> None:
    stored = as_json([Finding(Check.SHIFT, False, 2, "Two cuts moved.")])
    assert stored == {"shift": {"passed": False, "observed": 2, "message": "Two cuts moved."}}


def first(window: Window, size: int) -> Window:
    """Return a window's first bars."""
    bars = window.bars.take(slice(size))
    columns = {
        spec.name: getattr(window, spec.name)[:size] for spec in fields(Window) if spec.name not in {"bars", "rolls"}
    }
    return Window(bars=bars, rolls=window.rolls, **columns)
