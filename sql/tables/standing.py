"""What a bot is worth now: rollup of the current epoch and autonomy score. Derived; rebuilt from raw truth."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKey, PrimaryKeyConstraint, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import Tier, TradeSource
from sql.tables.base import Base, one_of
from sql.tables.results import Money


class MetricsRollup(Base):
    """Metrics of one source of one bot in one epoch; BACKTEST's are those of `session_id`, never a sum."""

    __tablename__ = "bot_metrics_rollups"
    __table_args__ = (PrimaryKeyConstraint("bot_id", "source"), one_of("source", TradeSource))

    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    source: Mapped[str]
    epoch: Mapped[int]
    session_id: Mapped[UUID | None]
    total_trades: Mapped[int]
    wins: Mapped[int]
    net_pnl: Mapped[Decimal] = mapped_column(Money)
    open_pnl: Mapped[Decimal | None] = mapped_column(Money)  # of a position open at the end; null: nobody measured it
    gross_profit: Mapped[Decimal] = mapped_column(Money)  # sum of winning trades' net
    gross_loss: Mapped[Decimal] = mapped_column(Money)  # sum of losing trades' net, <= 0
    max_drawdown_usd: Mapped[Decimal] = mapped_column(Money)
    max_drawdown_fraction: Mapped[float] = mapped_column(Float)  # of starting capital
    sharpe: Mapped[float | None] = mapped_column(Float)  # null with fewer than 2 days or no deviation
    profit_factor: Mapped[float | None] = mapped_column(Float)  # null without a losing trade
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AutonomyScore(Base):
    """Score 0-100 with its five subscores, tier and blockers."""

    __tablename__ = "autonomy_scores"
    __table_args__ = (
        UniqueConstraint("bot_id"),
        one_of("autonomy_tier", Tier),
        CheckConstraint("autonomy_score BETWEEN 0 AND 100", name="score_in_range"),
        CheckConstraint("autonomy_score_max BETWEEN 0 AND 100", name="score_max_in_range"),
        CheckConstraint("(locked_by IS NULL) = (locked_reason IS NULL)", name="lock_has_a_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    autonomy_score: Mapped[float] = mapped_column(Float)
    data_reliability_score: Mapped[float | None] = mapped_column(Float)  # null: no signal; counts as 0
    decision_quality_score: Mapped[float | None] = mapped_column(Float)
    risk_discipline_score: Mapped[float | None] = mapped_column(Float)
    execution_health_score: Mapped[float | None] = mapped_column(Float)
    supervisor_trust_score: Mapped[float | None] = mapped_column(Float)
    autonomy_score_max: Mapped[float | None] = mapped_column(Float)  # attainable now; null in rows older than it
    autonomy_tier: Mapped[str]
    locked_by: Mapped[str | None]  # code of the blocker that disqualifies the bot, such as LOOK_AHEAD; null: none does
    locked_reason: Mapped[str | None]
    breakdown: Mapped[dict[str, Any]]  # {subscores: {name: {score, weight, reason}}, blockers: [{code, message, ...}]}
    session_id: Mapped[UUID | None]
    trace_id: Mapped[str]
    last_updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
