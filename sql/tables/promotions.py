"""Promotions that need a second person: who asked, who decided, and how."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import Stage
from sql.tables.base import Base, one_of


class PromotionRequest(Base):
    """One wish to promote a bot into CANARY or LIVE. It is decided once, by somebody else, before it expires.

    gates: as they stood when it was requested.
    """

    __tablename__ = "promotion_requests"
    __table_args__ = (
        one_of("from_stage", Stage),
        one_of("to_stage", Stage),
        CheckConstraint("(decided_at IS NULL) = (outcome IS NULL)", name="outcome_when_decided"),
        CheckConstraint("outcome IS NULL OR outcome IN ('APPROVED', 'WITHDRAWN', 'EXPIRED')", name="outcome_known"),
        CheckConstraint("decided_by IS NULL OR outcome <> 'APPROVED' OR decided_by <> requested_by", name="two_people"),
        Index("uq_promotion_requests_open", "bot_id", unique=True, postgresql_where=text("decided_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    from_stage: Mapped[str]
    to_stage: Mapped[str]
    requested_by: Mapped[str]
    gates: Mapped[list[Any]]
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    outcome: Mapped[str | None]
