"""The analyzers find planted faults in results, and nothing in sound ones."""

from dataclasses import replace

import numpy as np
import pytest

from tests.factories.walks import instrument_of, walk
from tests.factories.windows import window_of
from trading.backtest.analyzers import (
    MIN_TRADES,
    STALE_BARS,
    fill_prices,
    flat_equity,
    rolls_seen,
    run_analyzers,
    stale_fills,
    too_few_trades,
)
from trading.backtest.findings import Check
from trading.backtest.run import run_backtest
from trading.backtest.types import BacktestResult, Costs, ExitReason, Trades
from trading.bars.series import Roll, Window
from trading.strategies.registry import STRATEGIES


def ran(windows: tuple[Window, ...], name: str = "sma_cross", costs: Costs | None = None) -> BacktestResult:
    instrument, strategy = instrument_of(windows[0]), STRATEGIES[name]
    return run_backtest(windows, strategy, strategy.parse({}), instrument, costs or Costs.default(instrument))


def with_trades(result: BacktestResult, **columns: object) -> BacktestResult:
    return replace(result, trades=replace(result.trades, **columns))  # type: ignore[arg-type]


def no_trades(equity: list[int], sessions: list[int]) -> BacktestResult:
    none64, none32, none8 = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8)
    trades = Trades(
        none8, none32, none64, none64, none64, none64, none64, none64, none64, none64, none64, none8, none32
    )
    ts = np.arange(len(equity), dtype=np.int64)
    return BacktestResult(trades, ts, np.array(sessions, np.int64), np.array(equity, np.int64), None, "made")


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_sound_result_has_no_finding(name: str) -> None:
    windows = walk(25, 6)
    instrument = instrument_of(windows[0])
    for costs in (Costs.default(instrument), replace(Costs.default(instrument), slippage_ticks=3, contracts=2)):
        result = ran(windows, name, costs)
        found = run_analyzers(windows, costs, result)
        assert {finding.name: finding.message for finding in found if not finding.passed} == {}
        assert [finding.name for finding in found] == [
            Check.FLAT_EQUITY,
            Check.STALE_FILLS,
            Check.FILL_PRICES,
            Check.TOO_FEW_TRADES,
            Check.ROLLS_SEEN,
        ]


def test_bars_that_name_no_contract_are_found_and_counted_over_all_windows() -> None:
    named, other = window_of([(100, 100, 100, 100)] * 3), window_of([(100, 100, 100, 100)] * 4)
    blind = replace(other, bars=replace(other.bars, contracts=("",)))
    assert rolls_seen((named, other)).passed
    found = rolls_seen((named, blind))
    assert (found.passed, found.observed) == (False, 4)
    assert found.message.startswith("4 bars name no contract, so rolls can't be seen")


def test_equity_that_never_moves_is_found() -> None:
    found = flat_equity(no_trades([0] * 6, [1, 1, 2, 2, 3, 3]))
    assert (found.passed, found.observed) == (False, 1.0)


def test_equity_that_dies_halfway_is_found() -> None:
    found = flat_equity(no_trades([0, 5, 9, 9, 9, 9, 9, 9], [1, 1, 2, 2, 3, 4, 5, 6]))
    assert (found.passed, found.observed) == (False, round(4 / 6, 4))


def test_equity_that_moves_overnight_or_within_the_day_is_alive() -> None:
    assert flat_equity(no_trades([0, 0, 5, 5, 9, 9], [1, 1, 2, 2, 3, 3])).observed == round(1 / 3, 4)
    assert flat_equity(no_trades([0, 5, 0, 7, 7, 0], [1, 1, 1, 2, 2, 2])).observed == 0.0


def test_no_bars_have_no_equity() -> None:
    assert not flat_equity(no_trades([], [])).passed


def standing(bars: int, *, volume: list[int] | None = None) -> Window:
    """Return a window of identical bars between lively ones."""
    rows = [(100, 104, 98, 101), (101, 105, 99, 103)] * 10 + [(103, 103, 103, 103)] * bars + [(103, 107, 101, 104)] * 2
    window = window_of(rows)
    return replace(window, bars=replace(window.bars, volume=np.array(volume))) if volume else window


def filled_at(window: Window, *bars: int) -> BacktestResult:
    """Return a result of trades entered at bar 1 and closed at those bars."""
    base = no_trades([0] * len(window), window.session.tolist())
    size, at = len(bars), np.array(bars, np.int64)
    return with_trades(
        base, side=np.ones(size, np.int8), entry_bar=np.full(size, 1, np.int64), exit_bar=at, net_e4=at * 0
    )


def test_a_fill_in_a_market_that_stands_still_is_found() -> None:
    window = standing(STALE_BARS + 2)
    first_stale = 20 + STALE_BARS - 1
    assert stale_fills((window,), filled_at(window, first_stale - 1)).passed
    assert not stale_fills((window,), filled_at(window, first_stale)).passed
    assert stale_fills((window,), filled_at(window, first_stale, first_stale + 1, 5, 6)).observed == 2 / 8


def test_standing_bars_are_found_in_any_of_several_windows() -> None:
    window = standing(STALE_BARS)
    both = (window, replace(window))
    assert stale_fills(both, filled_at(window, len(window) + 20 + STALE_BARS - 1)).observed == 0.5


def test_a_fill_on_a_bar_without_trade_is_found_unless_the_source_never_states_volume() -> None:
    window = standing(0)
    volume = [3] * len(window)
    volume[7] = 0
    silent = replace(window, bars=replace(window.bars, volume=np.array(volume)))
    assert stale_fills((silent,), filled_at(window, 7)).observed == 0.5
    unstated = replace(window, bars=replace(window.bars, volume=np.zeros(len(window), np.int64)))
    assert stale_fills((unstated,), filled_at(window, 7)).passed


def test_without_fills_none_is_stale() -> None:
    found = stale_fills((standing(3),), no_trades([0], [0]))
    assert (found.passed, found.observed) == (True, None)


@pytest.mark.parametrize("column", ["entry_ticks", "exit_ticks"])
@pytest.mark.parametrize("off", [-500, 500])
def test_a_fill_at_a_price_its_bar_never_had_is_found(column: str, off: int) -> None:
    windows = walk(3, 8)
    costs = Costs.default(instrument_of(windows[0]))
    result = ran(windows)
    assert fill_prices(windows, costs, result).passed
    planted = getattr(result.trades, column).copy()
    planted[[0, -1]] += off
    found = fill_prices(windows, costs, with_trades(result, **{column: planted}))
    assert (found.passed, found.observed) == (False, 2)


def test_a_fill_that_was_not_slipped_is_found_where_the_bar_has_one_price() -> None:
    windows = walk(3, 8, step=1)
    costs = replace(Costs.default(instrument_of(windows[0])), slippage_ticks=4)
    result = ran(windows, costs=costs)
    free = result.trades.entry_ticks - 4 * result.trades.side
    assert fill_prices(windows, costs, result).passed
    assert not fill_prices(windows, costs, with_trades(result, entry_ticks=free)).passed


def test_the_price_of_a_roll_is_left_out_for_its_bar_is_another_contracts() -> None:
    rows = [(100, 103, 98, 101)] * 5 + [(160, 163, 158, 161)] * 5
    window = window_of(rows, rolls=(Roll(5, "C0", "C1", 101, 59),))
    result = filled_at(window, 5)
    trades = replace(
        result.trades,
        entry_ticks=np.array([101]),
        exit_ticks=np.array([100]),
        reason=np.array([ExitReason.ROLL], np.int8),
        contract=np.zeros(1, np.int32),
    )
    costs = Costs.default(instrument_of(window))
    rolled = replace(result, trades=trades)
    assert fill_prices((window,), costs, rolled).passed
    mistaken = with_trades(rolled, contract=np.ones(1, np.int32))
    assert fill_prices((window,), costs, mistaken).observed == 1


@pytest.mark.parametrize(("count", "passed"), [(0, False), (MIN_TRADES - 1, False), (MIN_TRADES, True)])
def test_fewer_than_thirty_trades_are_no_evidence(count: int, passed: bool) -> None:
    window = standing(1)
    found = too_few_trades(filled_at(window, *[3] * count))
    assert (found.passed, found.observed) == (passed, count)
