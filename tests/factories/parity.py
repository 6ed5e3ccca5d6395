"""One comparison of Gantry's engine with a peer, for made and for real bars."""

from decimal import Decimal

import numpy as np

from bench.peers.result import PeerResult, PeerTask
from trading.backtest.engine import simulate
from trading.backtest.types import Costs, ExitReason
from trading.backtest.view import market_view
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.registry import get_strategy

STRATEGIES = {
    "sma_cross": ExitReason.REVERSAL,
    "rsi_reversion": ExitReason.STOP,
    "donchian_breakout": ExitReason.FLATTEN,
}


def task_of(window: Window, instrument: Instrument, strategy: str) -> PeerTask:
    """Return a strategy's decisions on a window as a task, one tick of slippage."""
    rule = get_strategy(strategy)
    decisions = rule.decide(market_view(window, instrument), rule.parse({}))
    return PeerTask(window, decisions, instrument, 1, float(instrument.commission_usd))


def assert_same(task: PeerTask, peer: PeerResult, *, engine: str = "rust", reason: ExitReason) -> int:
    """Hold trades, equity and drawdown against the peer's, to the tick and the cent; return how many trades."""
    costs = Costs(task.slippage_ticks, Decimal(str(task.commission_usd)))
    ours = simulate(task.window, task.decisions, task.instrument, costs, is_last_window=True, engine=engine)
    trades = ours.trades
    table = np.column_stack((trades.side, trades.entry_bar, trades.exit_bar, trades.entry_ticks, trades.exit_ticks))
    np.testing.assert_array_equal(table, peer.trades)
    np.testing.assert_array_equal(np.rint(ours.equity_e4 / 100).astype(np.int64), peer.equity_cents)
    peak = np.maximum.accumulate(np.maximum(ours.equity_e4, 0))
    assert round(int((peak - ours.equity_e4).max()) / 100) == peer.max_drawdown_cents
    assert (trades.reason == reason).any()
    return len(trades)
