"""Bots, their versions, the boundaries their metrics count from, and their stage history."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import MetricsScope, PromotionMode, Stage, TradeSource
from sql.tables.base import Base, one_of


class Bot(Base):
    """One bot. `revision` grows with every change and is its ETag."""

    __tablename__ = "bots"
    __table_args__ = (
        one_of("stage", Stage),
        one_of("promotion_mode", PromotionMode),
        one_of("metrics_reset_scope", MetricsScope),
        CheckConstraint("length(name) BETWEEN 1 AND 100", name="name_length"),
        CheckConstraint(
            "partition_key ~ '^[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{8,32}$' AND length(partition_key) <= 100",
            name="partition_key_form",
        ),
        UniqueConstraint("partition_key"),
        Index(
            "ix_bots_newest",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("archived_at IS NULL"),
        ),
        Index("uq_bots_starter_key_active", "starter_key", unique=True, postgresql_where=text("archived_at IS NULL")),
        Index("uq_bots_name_active", "name", unique=True, postgresql_where=text("archived_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    partition_key: Mapped[str]  # fixed at creation, see fleet.partition_keys
    symbol: Mapped[str]
    timeframe: Mapped[str]
    stage: Mapped[str] = mapped_column(server_default=Stage.LAB)
    stage_reason_code: Mapped[str | None]
    stage_locked_until: Mapped[datetime | None]
    promotion_mode: Mapped[str] = mapped_column(server_default=PromotionMode.MANUAL)
    current_version_id: Mapped[UUID | None]
    metrics_reset_at: Mapped[datetime | None]
    metrics_reset_reason_code: Mapped[str | None]
    metrics_reset_by: Mapped[str | None]
    metrics_reset_scope: Mapped[str] = mapped_column(server_default=MetricsScope.ALL)
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    starter_key: Mapped[str | None]  # its place in the starter pack; null for a bot made by hand
    created_by: Mapped[str]
    trace_id: Mapped[str]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BotVersion(Base):
    """A bot's strategy and parameters, with the version it came from. Insert-only."""

    __tablename__ = "bot_versions"
    __table_args__ = (UniqueConstraint("bot_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    number: Mapped[int]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("bot_versions.id"))
    strategy: Mapped[str]
    params: Mapped[dict[str, Any]]
    costs: Mapped[dict[str, Any]]  # {slippage_ticks: int, commission_usd: decimal text, contracts: int}
    window: Mapped[dict[str, Any]]  # {start: "YYYY-MM"|null, end: "YYYY-MM"|null}: months graded on, inclusive
    reason_code: Mapped[str]
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BotBoundary(Base):
    """Epoch of a bot's trade source: how many resets cover it. Metrics count rows of the current epoch."""

    __tablename__ = "bot_boundaries"
    __table_args__ = (
        PrimaryKeyConstraint("bot_id", "source"),
        one_of("source", TradeSource),
        CheckConstraint("epoch >= 0", name="epoch_not_negative"),
        CheckConstraint("equity_epoch BETWEEN 0 AND epoch", name="equity_epoch_in_range"),
    )

    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    source: Mapped[str]
    epoch: Mapped[int] = mapped_column(server_default=text("0"))
    equity_epoch: Mapped[int] = mapped_column(server_default=text("0"))  # the first one an equity curve shows
    event_id: Mapped[UUID | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BotStageEvent(Base):
    """One audit row for each change of stage, creation included. Insert-only."""

    __tablename__ = "bot_stage_events"
    __table_args__ = (
        one_of("to_stage", Stage),
        Index(None, "bot_id", "created_at"),
        Index("ix_bot_stage_events_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    from_stage: Mapped[str | None]
    to_stage: Mapped[str]
    event_type: Mapped[str]
    reason_code: Mapped[str]
    actor: Mapped[str]
    payload_json: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
