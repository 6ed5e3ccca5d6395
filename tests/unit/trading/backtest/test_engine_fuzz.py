"""vectorbt against the oracle on ten thousand random paths."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

from tests.factories.windows import RandomPath, decisions_of, random_path, window_of
from trading.backtest import engine, oracle
from trading.backtest.types import BacktestResult, Costs, ExitReason, Trades
from trading.instruments import get_instrument

ES = get_instrument("ES")
PATHS, SHARDS = 10_000, 4


def both(path: RandomPath, name: str) -> tuple[BacktestResult, BacktestResult]:
    costs = Costs(path.slippage_ticks, Decimal("2.25"), path.contracts)
    expected = oracle.simulate(path.window, path.decisions, ES, costs, is_last_window=path.is_last_window)
    seen = engine.simulate(path.window, path.decisions, ES, costs, is_last_window=path.is_last_window, engine=name)
    return expected, seen


def assert_equal(seed: int, expected: BacktestResult, seen: BacktestResult) -> None:
    for name in Trades.__slots__:
        left, right = getattr(expected.trades, name), getattr(seen.trades, name)
        assert left.dtype == right.dtype, name
        assert np.array_equal(left, right), f"path {seed}: {name} is {right}, not {left}"
    assert np.array_equal(expected.equity_e4, seen.equity_e4), f"path {seed}: equity"
    assert expected.open_position == seen.open_position, f"path {seed}: open position"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_ten_thousand_random_paths_trade_alike_in_vectorbt_and_in_the_oracle(shard: int) -> None:
    for seed in range(shard, PATHS, SHARDS):
        assert_equal(seed, *both(random_path(seed), "rust"))


def test_the_numba_path_of_vectorbt_trades_alike_too() -> None:
    for seed in range(500):
        assert_equal(seed, *both(random_path(seed), "numba"))


def test_the_random_paths_meet_every_corner_of_the_convention() -> None:
    reasons: Counter[int] = Counter()
    met: Counter[str] = Counter()
    for seed in range(1500):
        path = random_path(seed)
        expected, _ = both(path, "rust")
        trades, window = expected.trades, path.window
        reasons.update(trades.reason.tolist())
        opens = window.open_ticks[trades.exit_bar]
        stopped, won = trades.reason == ExitReason.STOP, trades.reason == ExitReason.TARGET
        met["stop gapped at the open"] += int(
            (stopped & (trades.exit_ticks == opens - trades.side * path.slippage_ticks)).sum()
        )
        met["target gapped at the open"] += int((won & (trades.exit_ticks == opens)).sum())
        met["in and out in one bar"] += int((trades.entry_bar == trades.exit_bar).sum())
        met["out and in again in one bar"] += int((trades.exit_bar[:-1] == trades.entry_bar[1:]).sum())
        met["open at the end"] += expected.open_position is not None
        met["several rolls"] += len(window.rolls) > 1
        met["prices below zero"] += int(window.low_ticks.min()) < 0
        met["bars without range"] += bool((window.high_ticks == window.low_ticks).all())
    assert set(reasons) == set(ExitReason) - {ExitReason.SIGNAL}
    assert min(reasons.values()) > 100
    assert len(met) == 8
    assert min(met.values()) > 50, met


@pytest.mark.parametrize("seed", range(40))
def test_long_paths_with_many_entries_that_wait_for_their_brackets_trade_alike(seed: int) -> None:
    """More entries wait than rows are kept for one by one: vectorbt then gets every bar."""
    rng = np.random.default_rng(seed)
    size, step = 1_500, int(rng.integers(1, 6))
    close = 20_000 + np.cumsum(rng.integers(-step, step + 1, size))
    opens = np.concatenate((close[:1], close[:-1])) + rng.integers(-1, 2, size)
    high = np.maximum(opens, close) + rng.integers(0, step + 1, size)
    low = np.minimum(opens, close) - rng.integers(0, step + 1, size)
    busy = float(rng.choice([0.02, 0.2, 0.95]))
    target = rng.choice([0, 1, -1, 2], size=size, p=[1 - busy, busy * 0.48, busy * 0.48, busy * 0.04])
    farthest = int(rng.choice([12, 60, 900]))
    decisions = decisions_of(
        target.tolist(),
        stop=rng.integers(0, farthest, size).tolist(),
        take=rng.integers(0, farthest, size).tolist() if rng.random() < 0.7 else None,
        only_when_flat=bool(rng.integers(2)),
    )
    path = RandomPath(window_of(np.column_stack((opens, high, low, close))), decisions, 1, 1, is_last_window=True)
    assert_equal(seed, *both(path, "rust"))
