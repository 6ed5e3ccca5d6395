"""Metrics of a bot: null with a reason where nothing was measured, never 0."""

from shapes.base import Model, Money


class MetricsFigures(Model):
    """Figures of one source in its current epoch. win_rate and max_drawdown_fraction are fractions 0-1.

    net_pnl is of closed trades, open_pnl of a position open at the last bar; together they are the last equity.
    """

    net_pnl: Money | None
    open_pnl: Money | None
    win_rate: float | None
    total_trades: int | None
    max_drawdown_usd: Money | None
    max_drawdown_fraction: float | None
    sharpe: float | None
    profit_factor: float | None
    reason: str | None


class MetricsBody(MetricsFigures):
    """Figures since the last reset, and the same by stage."""

    by_stage: dict[str, MetricsFigures]
