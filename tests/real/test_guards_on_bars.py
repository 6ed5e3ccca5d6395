"""Real bars: no strategy reads ahead on them, planted leaks are caught, no fill is at a price that never was."""

import os
from pathlib import Path

import pytest

from integrations.files.reader import read_bars_file
from tests.factories import strategy_definitions as definitions
from tests.factories.leaks import READS_AHEAD, Faulty, NoParams
from trading.backtest.checks import run_checks
from trading.backtest.findings import Check, look_ahead_passed
from trading.backtest.guards import run_guards
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs
from trading.backtest.view import market_view
from trading.bars.front import windows
from trading.bars.series import Window
from trading.instruments import get_instrument
from trading.strategies.base import Params, Strategy
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.real
DATA = Path(os.environ.get("GANTRY_TEST_DATA", ""))
FILES = {"6E": "6E_2024-01/6EH4.ohlcv-1m.dbn.zst", "ES": "lean_es_gc/es_1m.parquet"}


@pytest.fixture(scope="module", params=FILES)
def found(request: pytest.FixtureRequest) -> tuple[Window, ...]:
    symbol: str = request.param
    (file,) = read_bars_file(DATA / FILES[symbol], symbol=symbol)
    return windows(file.bars, get_instrument(symbol))


def verdicts(found: tuple[Window, ...], strategy: Strategy, params: Params) -> dict[Check, bool]:
    instrument = get_instrument(found[0].bars.symbol)
    costs = Costs.default(instrument)
    result = run_backtest(found, strategy, params, instrument, costs)
    findings = run_checks(found, strategy, params, instrument, costs, result)
    return {finding.name: finding.passed for finding in findings}


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
def test_every_strategy_passes_guards_and_analyzers_on_real_bars(found: tuple[Window, ...], strategy: Strategy) -> None:
    failed = {name for name, passed in verdicts(found, strategy, strategy.parse({})).items() if not passed}
    assert failed == set()


@pytest.mark.parametrize("rule", READS_AHEAD, ids=lambda rule: rule.__name__)
def test_a_strategy_that_reads_ahead_is_caught_on_real_bars(found: tuple[Window, ...], rule: object) -> None:
    instrument = get_instrument(found[0].bars.symbol)
    strategy, params, costs = Faulty(rule), NoParams(), Costs.default(instrument)  # type: ignore[arg-type]
    longest = (max(found, key=len),)
    result = run_backtest(longest, strategy, params, instrument, costs)
    assert look_ahead_passed(run_guards(longest, strategy, params, instrument, result)) is False


def test_on_real_bars_the_strategies_equal_their_definitions(found: tuple[Window, ...]) -> None:
    window = max(found, key=len)
    view = market_view(window, get_instrument(window.bars.symbol))
    expected = {
        "sma_cross": definitions.sma_cross(view, 20, 100),
        "rsi_reversion": definitions.rsi_reversion(view, 14, 30.0, 70.0),
        "donchian_breakout": definitions.donchian_breakout(view, 60, (510, 885), 899),
        "bollinger_reversion": definitions.bollinger_reversion(view, 60, 2.0),
        "atr_momentum": definitions.atr_momentum(view, 60, 14, 4.0),
        "vwap_reversion": definitions.vwap_reversion(view, 60, 2.0),
    }
    assert set(expected) == set(STRATEGIES)
    for name, target in expected.items():
        strategy = STRATEGIES[name]
        assert strategy.decide(view, strategy.parse({})).target.tolist() == target, name
