"""The planner's ticks, what it decided of each bot, and when each loop of the system last went round."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Float, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import DueReason, JobType, NotEnqueued, NotStarted, TickCause
from sql.tables.base import Base, one_of


class PlannerRun(Base):
    """One tick of the planner. summary: its counts, as `/api/_proof/autonomy` shows them."""

    __tablename__ = "autonomy_planner_runs"
    __table_args__ = (
        one_of("cause", TickCause),
        CheckConstraint("jobs_enqueued >= 0", name="jobs_not_negative"),
        Index("ix_autonomy_planner_runs_newest", text("started_at DESC"), text("id DESC")),
        Index(
            "ix_autonomy_planner_runs_enqueued",
            text("started_at DESC"),
            text("id DESC"),
            postgresql_where=text("jobs_enqueued > 0"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    jobs_enqueued: Mapped[int]
    summary: Mapped[dict[str, Any]]
    trace_id: Mapped[str]


class BotDecision(Base):
    """What a tick decided of a bot, written when it is something else than before.

    reason_code: why a job was planned, or why none was. not_started: why the job it has can't start now.
    """

    __tablename__ = "autonomy_bot_decisions"
    __table_args__ = (
        one_of("reason_code", (*DueReason, *NotEnqueued)),
        CheckConstraint(
            "not_started IS NULL OR not_started IN ({})".format(", ".join(f"'{code.value}'" for code in NotStarted)),
            name="not_started_known",
        ),
        CheckConstraint(
            "job_type IS NULL OR job_type IN ({})".format(", ".join(f"'{kind.value}'" for kind in JobType)),
            name="job_type_known",
        ),
        CheckConstraint("enqueued = (job_id IS NOT NULL)", name="job_of_enqueued"),
        CheckConstraint("enqueued = (job_type IS NOT NULL)", name="type_of_enqueued"),
        Index("ix_autonomy_bot_decisions_newest", "bot_id", text("created_at DESC"), text("id DESC")),
        Index("ix_autonomy_bot_decisions_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    planner_run_id: Mapped[UUID]  # no foreign key: ticks are pruned earlier
    enqueued: Mapped[bool] = mapped_column(Boolean)
    reason_code: Mapped[str]
    not_started: Mapped[str | None]
    job_id: Mapped[UUID | None]
    job_type: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class LoopTick(Base):
    """When a loop last went round, by the database's clock. error: of the last round; null when it went well."""

    __tablename__ = "loop_ticks"
    __table_args__ = (CheckConstraint("every_s > 0", name="every_positive"),)

    loop: Mapped[str] = mapped_column(primary_key=True)
    every_s: Mapped[float] = mapped_column(Float)
    ticked_at: Mapped[datetime]
    took_s: Mapped[float] = mapped_column(Float)
    message: Mapped[str]
    error: Mapped[str | None]
