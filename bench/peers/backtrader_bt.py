"""backtrader under Gantry's convention: fixed slippage on market and stop orders, one-cancels-other brackets."""

import warnings

from bench.peers.backtesting_py import CASH_USD, frame_of
from bench.peers.result import PeerResult, PeerTask, result_of
from trading.strategies.base import FLAT, HOLD

with warnings.catch_warnings():
    # Its docstrings hold invalid escapes, which Python warns of where no bytecode is cached.
    warnings.simplefilter("ignore")
    import backtrader as bt


class _LimitsUnslipped(bt.brokers.BackBroker):  # type: ignore[misc]
    """Its limit orders slip when they gap; a resting limit order doesn't."""

    def _try_exec_limit(self, order: object, popen: float, phigh: float, plow: float, plimit: float) -> None:
        slip, self.p.slip_fixed = self.p.slip_fixed, 0.0
        super()._try_exec_limit(order, popen, phigh, plow, plimit)
        self.p.slip_fixed = slip


class _Follow(bt.Strategy):  # type: ignore[misc]
    """Carries out decisions made beforehand and notes fills and equity."""

    params = (("task", None),)

    def __init__(self) -> None:
        self.fills: list[tuple[int, float, float]] = []
        self.equity: list[float] = []

    def notify_order(self, order: bt.Order) -> None:
        if order.status == order.Completed:
            self.fills.append((len(self.data) - 1, order.executed.size, order.executed.price))

    def next(self) -> None:
        self.equity.append(self.broker.getvalue() - CASH_USD)
        task: PeerTask = self.p.task
        bar = len(self.data) - 1
        code, held = int(task.decisions.target[bar]), self.position.size
        if code == HOLD:
            return
        if code == FLAT:
            self.close()
            return
        if held * code > 0 or (held and task.decisions.entries_only_when_flat):
            return
        enter, leave = (self.buy, self.sell) if code > 0 else (self.sell, self.buy)
        enter(size=1 + abs(held))
        stop, target = task.bracket(bar, code)
        # Sent with the entry, so that they are live in its bar; children of a bracket order wait for the next.
        first = None if stop is None else leave(size=1, exectype=bt.Order.Stop, price=stop)
        if target is not None:
            leave(size=1, exectype=bt.Order.Limit, price=target, oco=first)


def run(task: PeerTask) -> PeerResult:
    """Run the task to the end."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker = _LimitsUnslipped(
        cash=CASH_USD,
        slip_fixed=task.slippage_ticks * task.tick_usd,
        slip_open=True,
        slip_match=True,
        slip_out=True,
        checksubmit=False,
    )
    cerebro.broker.setcommission(commission=task.commission_usd, commtype=bt.CommInfoBase.COMM_FIXED, stocklike=True)
    frame = frame_of(task)
    cerebro.adddata(
        bt.feeds.PandasData(
            dataname=frame, open="Open", high="High", low="Low", close="Close", volume=None, openinterest=None
        )
    )
    cerebro.addstrategy(_Follow, task=task)
    (followed,) = cerebro.run()
    return result_of(_round_trips(followed.fills), followed.equity, task.tick_usd)


def _round_trips(fills: list[tuple[int, float, float]]) -> list[tuple[int, int, int, float, float]]:
    """Pair fills of one contract; a fill of two closes one and opens the other."""
    trades: list[tuple[int, int, int, float, float]] = []
    side, since, paid = 0, 0, 0.0
    for bar, size, price in fills:
        if side:
            trades.append((side, since, bar, paid, price))
        side, since, paid = round(side + size), bar, price
    return trades
