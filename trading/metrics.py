"""The one definition of a result's figures: net P&L, win rate, drawdown, Sharpe ratio, profit factor, expectancy.

Everything that shows or judges a result reads it from here. Money is exact: integer ten-thousandths of a dollar
in, `Decimal` out. What has no value (a rate of no trades) is None, never 0.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from typing import Final

import numpy as np

from trading.backtest.types import E4, STARTING_CAPITAL_USD, BacktestResult
from trading.bars.schema import IntArray

TRADING_DAYS_PER_YEAR: Final = 252
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one result.

    net_pnl: USD, sum of the trades' net, so that an open position isn't in it. open_pnl: USD, what the position open at
    the last bar is worth there, its entry's commission paid; net_pnl + open_pnl is the last equity. gross_profit: USD
    >= 0, sum of the winning trades' net. gross_loss: USD <= 0, sum of the losing ones'. wins, losses: trades with net
    above, below 0. win_rate: wins / total_trades, 0 to 1; None without trades. max_drawdown_usd: USD >= 0, deepest fall
    of the marked equity below its highest so far (the start counts). max_drawdown_fraction: of the starting capital of
    50,000 USD; above 1 for an account that would have been wiped out. sharpe: see `sharpe_ratio`.
    profit_factor: gross_profit / -gross_loss; None without a losing trade. expectancy: USD a trade; None without.
    """

    net_pnl: Decimal
    open_pnl: Decimal
    gross_profit: Decimal
    gross_loss: Decimal
    total_trades: int
    wins: int
    losses: int
    win_rate: float | None
    max_drawdown_usd: Decimal
    max_drawdown_fraction: float
    sharpe: float | None
    profit_factor: float | None
    expectancy: Decimal | None

    def as_json(self) -> dict[str, str | int | float | None]:
        """Return the fields ready for JSON, money as exact decimal text."""
        money = ("net_pnl", "open_pnl", "gross_profit", "gross_loss", "max_drawdown_usd", "expectancy")
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) if name in money and value is not None else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class DayPoint:
    """Equity of one trading day.

    trading_day: of the exchange's session. last_bar_ns: UTC open time of the day's last bar. equity_e4: profit since
    start at that bar's close. drawdown_e4: >= 0, deepest within the day, below the highest equity of the run so far.
    Both in ten-thousandths of a dollar.
    """

    trading_day: date
    last_bar_ns: int
    equity_e4: int
    drawdown_e4: int


def usd(e4: int) -> Decimal:
    """Return ten-thousandths of a dollar as dollars, exact, four decimals."""
    return Decimal(e4).scaleb(-4)


def win_rate(wins: int, total_trades: int) -> float | None:
    """Return wins / trades, 0 to 1; None without trades."""
    return wins / total_trades if total_trades else None


def profit_factor(gross_profit: Decimal, gross_loss: Decimal) -> float | None:
    """Return what was won over what was lost (gross_loss <= 0); None when nothing was lost."""
    return float(gross_profit / -gross_loss) if gross_loss else None


def expectancy(net_pnl: Decimal, total_trades: int) -> Decimal | None:
    """Return USD a trade, to four decimals; None without trades."""
    return (net_pnl / total_trades).quantize(Decimal("0.0001")) if total_trades else None


def sharpe_ratio(daily_pnl_e4: IntArray) -> float | None:
    """Return the yearly Sharpe ratio of daily profits over the starting capital; no risk-free rate.

    daily_pnl_e4: int64[D], ten-thousandths of a dollar, one a trading day; days without bars don't exist.
    Mean over sample deviation (ddof 1) times the root of 252 (Sharpe 1994). None with fewer than two days or when
    all days are equal.
    """
    # Equal days are found on the integers: the deviation of equal floats is not exactly zero.
    if len(daily_pnl_e4) < 2 or bool((daily_pnl_e4 == daily_pnl_e4[0]).all()):
        return None
    returns = daily_pnl_e4 / (float(STARTING_CAPITAL_USD) * E4)
    return float(returns.mean() / returns.std(ddof=1) * sqrt(TRADING_DAYS_PER_YEAR))


def drawdowns(equity_e4: IntArray) -> IntArray:
    """Return int64[T] >= 0: how far each bar's equity is below the highest so far; the start's 0 counts as one."""
    return np.maximum(np.maximum.accumulate(equity_e4), 0) - equity_e4


def daily_points(result: BacktestResult) -> tuple[DayPoint, ...]:
    """Return one point a trading day of the result, in order; empty without bars."""
    if not len(result.ts):
        return ()
    first, last = _day_edges(result.session)
    deepest = np.maximum.reduceat(drawdowns(result.equity_e4), first)
    rows = zip(
        result.session[last].tolist(),
        result.ts[last].tolist(),
        result.equity_e4[last].tolist(),
        deepest.tolist(),
        strict=True,
    )
    return tuple(DayPoint(_EPOCH + timedelta(days=day), ns, equity, deep) for day, ns, equity, deep in rows)


def from_result(result: BacktestResult) -> Metrics:
    """Return the figures of a backtest."""
    net = result.trades.net_e4
    won, lost = net > 0, net < 0
    deepest = int(drawdowns(result.equity_e4).max(initial=0))
    net_pnl, gross_profit, gross_loss = usd(int(net.sum())), usd(int(net[won].sum())), usd(int(net[lost].sum()))
    total, wins = len(net), int(won.sum())
    return Metrics(
        net_pnl=net_pnl,
        open_pnl=usd(result.open_position.unrealized_e4 if result.open_position else 0),
        gross_profit=gross_profit,
        gross_loss=gross_loss,
        total_trades=total,
        wins=wins,
        losses=int(lost.sum()),
        win_rate=win_rate(wins, total),
        max_drawdown_usd=usd(deepest),
        max_drawdown_fraction=deepest / (float(STARTING_CAPITAL_USD) * E4),
        sharpe=sharpe_ratio(_daily_pnl(result)),
        profit_factor=profit_factor(gross_profit, gross_loss),
        expectancy=expectancy(net_pnl, total),
    )


def _day_edges(session: IntArray) -> tuple[IntArray, IntArray]:
    starts = np.flatnonzero(np.concatenate(([True], session[1:] != session[:-1])))
    return starts, np.append(starts[1:], len(session)) - 1


def _daily_pnl(result: BacktestResult) -> IntArray:
    if not len(result.ts):
        return np.zeros(0, np.int64)
    closing = result.equity_e4[_day_edges(result.session)[1]]
    return np.diff(closing, prepend=0)
