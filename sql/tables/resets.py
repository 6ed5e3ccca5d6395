"""Resets of metrics: one audit row a bot and reset. Insert-only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import MetricsScope
from sql.tables.base import Base, one_of

METRICS_RESET = "METRICS_RESET"


class BotMetricsEvent(Base):
    """One bot's part in a reset. payload_json: request_id (also the backfill's), epochs, before, canceled_job_id."""

    __tablename__ = "bot_metrics_events"
    __table_args__ = (
        one_of("scope", MetricsScope),
        CheckConstraint(f"event_type = '{METRICS_RESET}'", name="event_type_known"),
        Index(None, "bot_id", "created_at"),
        Index("ix_bot_metrics_events_created_at", "created_at"),
        Index("uq_bot_metrics_events_request", text("(payload_json ->> 'request_id')"), "bot_id", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    event_type: Mapped[str]
    scope: Mapped[str]
    reason_code: Mapped[str]
    actor: Mapped[str]
    payload_json: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
