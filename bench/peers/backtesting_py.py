"""backtesting.py under Gantry's convention: ticks of slippage instead of a relative spread, brackets on the fill."""

import warnings
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd

from bench.peers.result import PeerResult, PeerTask, result_of
from trading.bars.schema import FloatArray, IntArray
from trading.strategies.base import FLAT, HOLD, LONG, SHORT

CASH_USD = 1e9

with warnings.catch_warnings():
    # Its import of bokeh's notebook support warns outside a notebook; nothing here draws.
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy
    from backtesting import backtesting as internals
    from backtesting.backtesting import _Broker
    from backtesting.lib import crossover

internals._tqdm = lambda bars, **_: bars  # noqa: SLF001 - its progress bar


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

    def next(self) -> None:
        code = int(self.codes[len(self.data) - 1])
        if code != HOLD:
            self.carry_out(code)

    def carry_out(self, code: int) -> None:
        """Order what was decided at this bar's close."""
        held = self.position.size
        if code == FLAT:
            self.position.close()
            return
        if held * code > 0 or (held and self.task.decisions.entries_only_when_flat):
            return
        size = 1 + abs(held)
        order = self.buy(size=size) if code > 0 else self.sell(size=size)
        stop, target = self.task.bracket(len(self.data) - 1, code)
        order._replace(sl_price=stop, tp_price=target)


class _SmaCross(_Follow):
    """sma_cross as its users write it: two indicators, compared at each bar."""

    def init(self) -> None:
        closes = self.task.window.close_ticks
        self.fast = self.I(_window_sums, closes, 20, 100)  # both scaled to the same divisor, so that ties are exact
        self.slow = self.I(_window_sums, closes, 100, 20)

    def next(self) -> None:
        if self.fast[-1] > self.slow[-1] and self.fast[-2] <= self.slow[-2]:
            self.carry_out(LONG)
        elif self.fast[-1] < self.slow[-1] and self.fast[-2] >= self.slow[-2]:
            self.carry_out(SHORT)


class _RsiReversion(_Follow):
    """rsi_reversion as its users write it: out of the market, an indicator crossing its band, by its own helper."""

    def init(self) -> None:
        self.rsi = self.I(_wilder_rsi, self.task.window.close_ticks, 14)

    def next(self) -> None:
        if self.position:
            return
        if crossover(30, self.rsi):
            self.carry_out(LONG)
        elif crossover(self.rsi, 70):
            self.carry_out(SHORT)


NATURAL = {"sma_cross": _SmaCross, "rsi_reversion": _RsiReversion}  # with their default parameters


def _window_sums(closes: IntArray, length: int, scale: int) -> FloatArray:
    sums = np.concatenate(([0], np.cumsum(closes)))
    found = np.full(len(closes), np.nan)
    found[length - 1 :] = (sums[length:] - sums[:-length]) * scale
    return found


def _wilder_rsi(closes: IntArray, period: int) -> FloatArray:
    """Wilder's index by pandas' exponential mean, seeded with the mean of the first changes."""
    changes = pd.Series(np.diff(closes, prepend=closes[:1]).astype(np.float64))
    means = []
    for part in (changes.clip(lower=0), -changes.clip(upper=0)):
        part[period] = part[1 : period + 1].mean()
        means.append(part[period:].ewm(alpha=1 / period, adjust=False).mean().reindex(part.index))
    rsi: FloatArray = (100 * means[0] / (means[0] + means[1])).to_numpy()
    return rsi


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


def run(task: PeerTask, rule: type = _Follow) -> PeerResult:
    """Run the task to the end: its decisions, or one of the natural strategies, which decides for itself."""
    follow = type("Follow", (rule,), {"task": task})
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
