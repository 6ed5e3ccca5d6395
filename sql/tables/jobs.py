"""Jobs of bots and the ledger of their transitions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import BacktestKind, JobStatus, JobType
from sql.tables.base import Base, one_of


class BotJob(Base):
    """One attempt at one piece of work for one bot; at most one is active (QUEUED or RUNNING) per bot."""

    __tablename__ = "bot_jobs"
    __table_args__ = (
        one_of("job_type", JobType),
        one_of("status", JobStatus),
        CheckConstraint(
            "kind IS NULL OR kind IN ({})".format(", ".join(f"'{kind.value}'" for kind in BacktestKind)),
            name="kind_known",
        ),
        CheckConstraint("(job_type = 'BACKTEST') = (kind IS NOT NULL)", name="kind_of_backtests"),
        CheckConstraint("attempt >= 1 AND attempt <= max_attempts", name="attempt_in_bounds"),
        CheckConstraint("(status = 'RUNNING') = (lease_token IS NOT NULL)", name="lease_while_running"),
        CheckConstraint("(status = 'RUNNING') = (lease_expires_at IS NOT NULL)", name="expiry_while_running"),
        CheckConstraint("(status IN ('QUEUED', 'RUNNING')) = (completed_at IS NULL)", name="completed_when_terminal"),
        Index(
            "uq_bot_jobs_active_per_bot",
            "bot_id",
            unique=True,
            postgresql_where=text("status IN ('QUEUED', 'RUNNING')"),
        ),
        Index("ix_bot_jobs_bot_id_created_at", "bot_id", text("created_at DESC")),
        Index("ix_bot_jobs_newest_of_type", "bot_id", "job_type", text("created_at DESC"), text("id DESC")),
        Index("ix_bot_jobs_queued", "created_at", postgresql_where=text("status = 'QUEUED'")),
        Index("ix_bot_jobs_running", "job_type", postgresql_where=text("status = 'RUNNING'")),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress_is_a_fraction"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    root_job_id: Mapped[UUID]
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    job_type: Mapped[str]
    kind: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=JobStatus.QUEUED)
    attempt: Mapped[int] = mapped_column(server_default=text("1"))
    max_attempts: Mapped[int] = mapped_column(server_default=text("3"))
    iteration: Mapped[int] = mapped_column(server_default=text("1"))
    epoch: Mapped[int | None]  # BACKTEST epoch copied at the claim, under the boundary's lock
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("bot_versions.id"))
    session_id: Mapped[UUID | None]
    run_id: Mapped[str | None]
    worker_id: Mapped[UUID | None]  # the worker run that claimed it; null for a run that a person started
    not_before: Mapped[datetime | None]  # a retry waits until then
    progress: Mapped[float | None] = mapped_column(Float)  # share done, sent with the heartbeat
    progress_at: Mapped[datetime | None]  # when the share last grew
    lease_token: Mapped[UUID | None]
    lease_expires_at: Mapped[datetime | None]
    last_heartbeat_at: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    suggested_fix: Mapped[str | None]
    bars_generation: Mapped[str | None]  # what bars and providers there were when it began
    actor: Mapped[str]
    trace_id: Mapped[str]
    # Not the transaction's start: one that waited must not make a job that looks older than one that ended meanwhile.
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class JobRunEvent(Base):
    """One transition of one job; from_status is null for the enqueue. Insert-only."""

    __tablename__ = "job_run_events"
    __table_args__ = (one_of("to_status", JobStatus), Index(None, "job_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("bot_jobs.id"))
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    reason_code: Mapped[str]
    trace_id: Mapped[str]
    event_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
