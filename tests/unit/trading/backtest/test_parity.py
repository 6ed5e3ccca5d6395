"""Gantry's engine against two peers on made bars, to the tick and the cent."""

from types import ModuleType

import numpy as np
import pytest

from bench.peers import backtesting_py, backtrader_bt
from tests.factories.parity import STRATEGIES, assert_same, task_of
from tests.factories.windows import window_of
from trading.bars.series import Window
from trading.instruments import get_instrument

ES = get_instrument("ES")


def made_window(seed: int, size: int) -> Window:
    """Return a random walk with overlapping bars and small gaps."""
    rng = np.random.default_rng(seed)
    close = 20_000 + np.cumsum(rng.integers(-7, 8, size))
    opens = np.concatenate(([20_000], close[:-1])) + rng.integers(-2, 3, size)
    high = np.maximum(opens, close) + rng.integers(0, 6, size)
    low = np.minimum(opens, close) - rng.integers(0, 6, size)
    return window_of(np.column_stack((opens, high, low, close)))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("peer", [backtesting_py, backtrader_bt], ids=["backtesting.py", "backtrader"])
def test_trades_equity_and_drawdown_equal_the_peers_to_the_cent(strategy: str, peer: ModuleType) -> None:
    task = task_of(made_window(11, 15_000), ES, strategy)
    assert assert_same(task, peer.run(task), reason=STRATEGIES[strategy]) > 20


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_numba_path_equals_a_peer_too(strategy: str) -> None:
    task = task_of(made_window(12, 4000), ES, strategy)
    assert_same(task, backtesting_py.run(task), engine="numba", reason=STRATEGIES[strategy])
