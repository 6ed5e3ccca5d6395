"""Worker runs: processes that pull jobs, from the wish for one to its end."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import JobType
from sql.tables.base import Base, one_of


class WorkerRun(Base):
    """One worker: its id is the run key under which Dagster starts it, once."""

    __tablename__ = "worker_runs"
    __table_args__ = (
        one_of("job_type", JobType),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="reason_when_ended"),
        Index("ix_worker_runs_ended_at", text("ended_at DESC")),
        Index("ix_worker_runs_living", "requested_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_type: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    run_id: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    jobs_done: Mapped[int] = mapped_column(server_default=text("0"))
    trace_id: Mapped[str]
