"""What went out to providers: every attempt at a call, and every try to fetch a month of bars. Insert-only."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import CallStatus
from sql.tables.base import Base, one_of


class IntegrationUsage(Base):
    """One attempt at a call to a provider. bot_id: the one bot it served; several stand in metadata as bot_ids."""

    __tablename__ = "integration_usage_events"
    __table_args__ = (
        one_of("status", CallStatus),
        CheckConstraint("latency_ms >= 0", name="latency_not_negative"),
        CheckConstraint("(status = 'ERROR') <= (error_code IS NOT NULL)", name="error_has_code"),
        CheckConstraint("(status = 'OK') <= (error_code IS NULL)", name="ok_has_no_code"),
        Index("ix_integration_usage_events_provider", "provider_id", text("created_at DESC")),
        Index("ix_integration_usage_events_created_at", text("created_at DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    provider_id: Mapped[str]
    bot_id: Mapped[UUID | None]
    run_id: Mapped[str | None]
    action: Mapped[str]
    status: Mapped[str]
    latency_ms: Mapped[int]
    error_code: Mapped[str | None]
    trace_id: Mapped[str]
    usage_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))


class BarsFetch(Base):
    """One try to get one symbol-month from one provider. error_code null: bars_id is in use since.

    put_aside: where the refused payload is kept, under the bars folder. providers: all that were to be had then.
    """

    __tablename__ = "bars_fetches"
    __table_args__ = (
        CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="month_format"),
        CheckConstraint("(error_code IS NULL) = (bars_id IS NOT NULL)", name="fetched_or_failed"),
        CheckConstraint("(error_code IS NULL) = (message IS NULL)", name="failure_says_why"),
        Index("ix_bars_fetches_month", "symbol", "month", text("created_at DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    symbol: Mapped[str]
    month: Mapped[str]
    provider: Mapped[str]
    providers: Mapped[list[Any]]
    bars_id: Mapped[UUID | None]
    payload_sha256: Mapped[str | None]
    put_aside: Mapped[str | None]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    error_code: Mapped[str | None]
    message: Mapped[str | None]
    fix: Mapped[str | None]
    actor: Mapped[str]
    trace_id: Mapped[str]
