"""Events: what happened to bots (activity feed) and to the system. Insert-only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import ActivityEvent, Severity, SystemEvent
from sql.tables.base import Base, one_of


class Activity(Base):
    """One line of the activity feed."""

    __tablename__ = "activity_events"
    __table_args__ = (
        one_of("event_type", ActivityEvent),
        Index(None, "bot_id", "created_at"),
        Index("ix_activity_events_created_at_id", text("created_at DESC"), text("id DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_type: Mapped[str]
    bot_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    actor: Mapped[str]
    message: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SystemEventRow(Base):
    """One event of the system; severity is null for information."""

    __tablename__ = "system_events"
    __table_args__ = (
        one_of("event_type", SystemEvent),
        CheckConstraint(
            "severity IS NULL OR severity IN ({})".format(", ".join(f"'{item.value}'" for item in Severity)),
            name="severity_known",
        ),
        Index(None, "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_type: Mapped[str]
    severity: Mapped[str | None]
    actor: Mapped[str]
    message: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
