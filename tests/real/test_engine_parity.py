"""Real bars: trades, equity and drawdown equal the oracle and two peers to the cent; rolls on real contracts."""

import os
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bench.peers import backtesting_py, backtrader_bt
from integrations.files.reader import read_bars_file
from tests.factories.parity import STRATEGIES, assert_same, task_of
from tests.factories.rolling import that_roll
from tests.factories.windows import decisions_of
from trading.backtest import engine, oracle
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs, ExitReason, Trades
from trading.backtest.view import market_view
from trading.bars.front import windows
from trading.bars.series import Window
from trading.instruments import get_instrument
from trading.strategies.base import LONG
from trading.strategies.registry import STRATEGIES as REGISTRY
from trading.strategies.registry import get_strategy

pytestmark = pytest.mark.real
DATA = Path(os.environ.get("GANTRY_TEST_DATA", ""))
ES, EURO = get_instrument("ES"), get_instrument("6E")
PEERS = pytest.mark.parametrize("peer", [backtesting_py, backtrader_bt], ids=["backtesting.py", "backtrader"])


@pytest.fixture(scope="module")
def euro() -> Window:
    (found,) = read_bars_file(DATA / "6E_2024-01" / "6EH4.ohlcv-1m.dbn.zst")
    (window,) = windows(found.bars, EURO)
    return window


@pytest.fixture(scope="module")
def spoos() -> tuple[Window, ...]:
    (found,) = read_bars_file(DATA / "lean_es_gc" / "es_1m.parquet", symbol="ES")
    return windows(found.bars, ES)


@PEERS
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_on_a_month_of_the_euro_trades_and_equity_equal_the_peers(
    euro: Window, strategy: str, peer: ModuleType
) -> None:
    task = task_of(euro, EURO, strategy)
    assert assert_same(task, peer.run(task), reason=STRATEGIES[strategy]) > 40


@PEERS
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_on_days_of_es_trades_and_equity_equal_the_peers(
    spoos: tuple[Window, ...], strategy: str, peer: ModuleType
) -> None:
    longest = max((window for window in spoos if not window.rolls), key=len)
    task = task_of(longest, ES, strategy)
    assert assert_same(task, peer.run(task), reason=STRATEGIES[strategy]) >= 1


@pytest.mark.parametrize("strategy", REGISTRY)
@pytest.mark.parametrize("name", ["rust", "numba"])
def test_every_strategy_trades_alike_in_vectorbt_and_in_the_oracle(
    euro: Window, spoos: tuple[Window, ...], strategy: str, name: str
) -> None:
    rule = get_strategy(strategy)
    for instrument, found in ((EURO, (euro,)), (ES, spoos)):
        costs = Costs.default(instrument)
        for window in found:
            decisions = rule.decide(market_view(window, instrument), rule.parse({}))
            last = window is found[-1]
            expected = oracle.simulate(window, decisions, instrument, costs, is_last_window=last)
            seen = engine.simulate(window, decisions, instrument, costs, is_last_window=last, engine=name)
            for column in Trades.__slots__:
                assert np.array_equal(getattr(expected.trades, column), getattr(seen.trades, column))
            assert np.array_equal(expected.equity_e4, seen.equity_e4)
            assert expected.open_position == seen.open_position


def test_es_rolls_in_december_2013_with_profit_on_the_real_contracts() -> None:
    (found,) = read_bars_file(DATA / "lean_es_gc" / "es_1m.parquet", symbol="ES")
    rolled = next(window for window in windows(that_roll(found.bars), ES) if window.rolls)
    roll = rolled.rolls[0]
    assert np.datetime64(int(rolled.bars.ts[roll.index]), "ns").astype("datetime64[M]") == np.datetime64("2013-12")
    held = decisions_of([LONG] * len(rolled))
    result = engine.simulate(rolled, held, ES, Costs(1, Decimal("2.25")), is_last_window=True)
    trades = result.trades
    assert trades.reason[0] == ExitReason.ROLL
    old, new = roll.old_exit_ticks - 1, int(rolled.open_ticks[roll.index]) + 1
    assert trades.exit_ticks[0] == old
    assert trades.gross_e4[0] == (old - int(rolled.open_ticks[1]) - 1) * ES.tick_value_e4
    after = result.open_position
    assert after is not None
    assert (after.entry_ticks, after.contract) == (new, roll.new_contract)
    assert after.unrealized_e4 == (int(rolled.close_ticks[-1]) - new) * ES.tick_value_e4 - 22_500


def test_a_backtest_over_all_es_windows_adds_up(spoos: tuple[Window, ...]) -> None:
    rule = get_strategy("sma_cross")
    result = run_backtest(spoos, rule, rule.parse({}), ES, Costs.default(ES))
    held = 0 if result.open_position is None else result.open_position.unrealized_e4
    assert int(result.trades.net_e4.sum()) + held == result.equity_e4[-1]
    assert (result.trades.reason == ExitReason.WINDOW_END).any()
