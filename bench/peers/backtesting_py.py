"""backtesting.py under Gantry's convention: ticks of slippage instead of a relative spread, brackets on the fill."""

import warnings
from functools import partial
from typing import Any, cast

import pandas as pd

from bench.peers.result import PeerResult, PeerTask, result_of
from trading.strategies.base import FLAT, HOLD

CASH_USD = 1e9

with warnings.catch_warnings():
    # Its import of bokeh's notebook support warns where no notebook is; nothing here draws.
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy
    from backtesting.backtesting import _Broker


class _TickBroker(_Broker):  # type: ignore[misc]
    """Slips market and stop fills by whole ticks, against the trader, and leaves targets alone."""

    slip_usd = 0.0

    def _adjusted_price(self, size: float, price: float | None = None) -> float:
        return float(price or self.last_price) + (self.slip_usd if size > 0 else -self.slip_usd)

    def _close_trade(self, trade: Any, price: float, time_index: int) -> None:
        side = 1 if trade.is_long else -1
        at_target = trade.tp is not None and (price - trade.tp) * side >= 0
        super()._close_trade(trade, price if at_target else price - side * self.slip_usd, time_index)


class _Follow(Strategy):  # type: ignore[misc]
    """Carries out decisions made beforehand, one look a bar, as any strategy of that library does."""

    task: PeerTask

    def init(self) -> None:
        self.codes = self.task.decisions.target
        self.only_flat = self.task.decisions.entries_only_when_flat

    def next(self) -> None:
        bar = len(self.data) - 1
        code = int(self.codes[bar])
        if code == HOLD:
            return
        held = self.position.size
        if code == FLAT:
            self.position.close()
            return
        if held * code > 0 or (held and self.only_flat):
            return
        size = 1 + abs(held)
        order = self.buy(size=size) if code > 0 else self.sell(size=size)
        stop, target = self.task.bracket(bar, code)
        order._replace(sl_price=stop, tp_price=target)


def frame_of(task: PeerTask) -> pd.DataFrame:
    """Return the window as the data frame backtesting.py wants."""
    window, usd = task.window, task.tick_usd
    index = pd.DatetimeIndex(window.bars.ts.astype("datetime64[ns]"))
    return pd.DataFrame(
        {
            "Open": window.open_ticks * usd,
            "High": window.high_ticks * usd,
            "Low": window.low_ticks * usd,
            "Close": window.close_ticks * usd,
        },
        index=index,
    )


def run(task: PeerTask) -> PeerResult:
    """Run the task to the end."""
    follow = type("Follow", (_Follow,), {"task": task})
    broker = type("TickBroker", (_TickBroker,), {"slip_usd": task.slippage_ticks * task.tick_usd})
    bench = Backtest(frame_of(task), follow, cash=CASH_USD, commission=lambda size, _: abs(size) * task.commission_usd)
    bench._broker = partial(broker, **cast("partial[Any]", bench._broker).keywords)  # noqa: SLF001
    with warnings.catch_warnings():
        # Positions open at the end are left open on purpose, which it warns of.
        warnings.simplefilter("ignore")
        stats = bench.run()
    closed = stats["_trades"]
    columns = (closed[name] for name in ("Size", "EntryBar", "ExitBar", "EntryPrice", "ExitPrice"))
    trades = [tuple(row) for row in zip(*columns, strict=True)]
    trades.sort(key=lambda row: (row[2], row[1]))
    return result_of(trades, (stats["_equity_curve"]["Equity"].to_numpy() - CASH_USD).tolist(), task.tick_usd)
