"""What a result shows as closed and as open is its equity, whatever was traded and at what cost."""

from decimal import Decimal
from itertools import product

import pytest

from tests.factories.walks import walk
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs
from trading.instruments import get_instrument
from trading.metrics import from_result, usd
from trading.strategies.registry import STRATEGIES

COSTS = (Costs(0, Decimal(0)), Costs(1, Decimal("2.25")), Costs(3, Decimal("0.855"), 4))
DAYS = (0.3, 0.62, 1.4, 2.71)


@pytest.mark.parametrize("name", STRATEGIES)
def test_net_and_open_pnl_are_the_last_equity(name: str) -> None:
    strategy = STRATEGIES[name]
    for (seed, days), costs in product(enumerate(DAYS), COSTS):
        result = run_backtest(walk(days, seed), strategy, strategy.parse({}), get_instrument("ES"), costs)
        figures = from_result(result)
        assert figures.net_pnl + figures.open_pnl == usd(int(result.equity_e4[-1]))
        assert result.open_position is not None or figures.open_pnl == 0


def test_a_strategy_that_is_always_in_the_market_ends_with_something_open() -> None:
    strategy = STRATEGIES["sma_cross"]
    result = run_backtest(walk(1.4, 1), strategy, strategy.parse({}), get_instrument("ES"), COSTS[1])
    assert result.open_position is not None
    assert from_result(result).open_pnl == usd(result.open_position.unrealized_e4) != 0
