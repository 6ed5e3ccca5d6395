"""The sweep's kernel against the convention's executable text, on random paths."""

from decimal import Decimal

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.windows import decisions_of, random_path, window_of
from trading.backtest import oracle
from trading.backtest.types import Costs
from trading.improve.kernel import run_window
from trading.instruments import get_instrument

ES = get_instrument("ES")
COSTS = Costs(1, Decimal("2.25"))


def test_three_thousand_random_paths_are_marked_at_every_bar_as_by_the_oracle() -> None:
    for seed in range(3_000):
        path = random_path(seed)
        size = len(path.window)
        costs = Costs(path.slippage_ticks, Decimal("2.25"), path.contracts)
        asked = (path.window, path.decisions, ES, costs)
        expected = oracle.simulate(*asked, is_last_window=path.is_last_window)
        seen = run_window(*asked, np.arange(size, dtype=np.int64), is_last_window=path.is_last_window)
        ended, net = expected.trades.exit_bar, expected.trades.net_e4
        assert np.array_equal(seen.equity_e4, expected.equity_e4), f"path {seed}: equity"
        assert np.array_equal(seen.trades, np.bincount(ended, minlength=size)), f"path {seed}: trades"
        assert np.array_equal(seen.wins, np.bincount(ended[net > 0], minlength=size)), f"path {seed}: wins"
        assert np.array_equal(seen.net_e4, np.bincount(ended, net, size).astype(np.int64)), f"path {seed}: net"


def test_marks_far_apart_hold_all_that_happened_since_the_one_before() -> None:
    for seed in range(500):
        path = random_path(seed)
        size = len(path.window)
        costs = Costs(path.slippage_ticks, Decimal("2.25"), path.contracts)
        asked = (path.window, path.decisions, ES, costs)
        every = run_window(*asked, np.arange(size, dtype=np.int64), is_last_window=path.is_last_window)
        marks = np.unique([size // 3, size // 2, size - 1])
        seen = run_window(*asked, marks, is_last_window=path.is_last_window)
        assert np.array_equal(seen.equity_e4, every.equity_e4[marks])
        for name in ("trades", "wins", "net_e4"):
            assert np.array_equal(np.cumsum(getattr(seen, name)), np.cumsum(getattr(every, name))[marks]), name


def test_one_distance_for_all_bars_is_the_same_as_one_a_bar() -> None:
    path = random_path(5)
    size = len(path.window)
    marks = np.array([size - 1])
    every = decisions_of(path.decisions.target.tolist(), stop=3, take=4)
    shared = decisions_of(path.decisions.target.tolist(), stop=3, take=4)
    shared = type(shared)(shared.target, np.broadcast_to(np.int64(3), size), np.broadcast_to(np.int64(4), size))
    both = [run_window(path.window, each, ES, COSTS, marks, is_last_window=True) for each in (every, shared)]
    assert all(np.array_equal(left, right) for left, right in zip(*both, strict=True))


def test_impossible_decisions_are_the_strategys_error() -> None:
    window = window_of([(10, 11, 9, 10)] * 3)
    with pytest.raises(GantryError) as caught:
        run_window(window, decisions_of([0, 5, 0]), ES, COSTS, np.array([2]), is_last_window=True)
    assert caught.value.code is ErrorCode.STRATEGY_ERROR
