"""Improvements: what was tried on a bot, the evidence, and what became of it; and how far one under way has come."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import ImprovementVerdict, JobType
from sql.tables.base import Base, one_of


class BotImprovement(Base):
    """One improvement that came to a verdict. Insert-only.

    candidate: its strategy and parameters, null when the present ones were the best. evidence: both side by side, the
    folds, the neighbours and every check. version_id: the version that was made of it, null unless ADOPTED.
    reason_code: of `trading.improve.verdict`, or SUPERSEDED where the bot was another one by then.
    """

    __tablename__ = "bot_improvements"
    __table_args__ = (
        one_of("job_type", (JobType.IMPROVE, JobType.EVOLVE)),
        one_of("verdict", ImprovementVerdict),
        CheckConstraint("(verdict = 'ADOPTED') = (version_id IS NOT NULL)", name="version_of_adopted"),
        CheckConstraint("sets_tried >= 0", name="sets_not_negative"),
        Index("uq_bot_improvements_job_id", "job_id", unique=True),
        Index("ix_bot_improvements_newest", "bot_id", text("created_at DESC"), text("id DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("bot_jobs.id"))
    job_type: Mapped[str]
    base_version_id: Mapped[UUID] = mapped_column(ForeignKey("bot_versions.id"))
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("bot_versions.id"))
    verdict: Mapped[str]
    reason_code: Mapped[str]
    source: Mapped[str]  # where the candidate came from: CandidateSource
    candidate: Mapped[dict[str, Any] | None]
    evidence: Mapped[dict[str, Any]]
    sets_tried: Mapped[int]
    epoch: Mapped[int]
    bars_hash: Mapped[str]
    actor: Mapped[str]
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ImprovementProgress(Base):
    """The state of an improvement between two of its steps; another attempt of the same root goes on from there."""

    __tablename__ = "improvement_progress"
    __table_args__ = (CheckConstraint("steps_done BETWEEN 0 AND steps_total", name="steps_in_range"),)

    root_job_id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    state: Mapped[dict[str, Any]]
    steps_done: Mapped[int]
    steps_total: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
