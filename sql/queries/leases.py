"""Jobs and the leases on them: every change is guarded, and answers whether it changed anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType, TradeSource
from sql.tables.bots import BotBoundary
from sql.tables.jobs import BotJob

ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ends: status, what it led to, or why it failed."""

    status: JobStatus
    session_id: UUID | None = None
    error_code: str | None = None
    error_message: str | None = None
    suggested_fix: str | None = None


def active_job(session: Session, bot_id: UUID) -> BotJob | None:
    """Return the bot's QUEUED or RUNNING job, as the database has it now."""
    query = select(BotJob).where(BotJob.bot_id == bot_id, BotJob.status.in_(ACTIVE))
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def queued_jobs(session: Session, *, limit: int) -> Sequence[BotJob]:
    """Return the oldest QUEUED jobs."""
    query = select(BotJob).where(BotJob.status == JobStatus.QUEUED).order_by(BotJob.created_at, BotJob.id).limit(limit)
    return session.scalars(query).all()


def count_root_jobs(session: Session, bot_id: UUID, job_type: JobType) -> int:
    """Count the bot's root jobs of a type: retries are not counted."""
    query = select(func.count()).where(
        BotJob.bot_id == bot_id, BotJob.job_type == job_type, BotJob.id == BotJob.root_job_id
    )
    return session.scalar(query) or 0


def lock_epoch(session: Session, bot_id: UUID, source: TradeSource) -> int:
    """Return the current epoch of a bot's source and hold it: a reset waits until this transaction ends."""
    query = (
        select(BotBoundary.epoch)
        .where(BotBoundary.bot_id == bot_id, BotBoundary.source == source)
        .with_for_update(read=True)
    )
    return session.scalars(query).one()


def claim(
    session: Session, job_id: UUID, *, token: UUID, lease_s: float, run_id: str | None, epoch: int, version_id: UUID
) -> datetime | None:
    """Take a QUEUED job under a lease; return when it started, or None if it isn't QUEUED any more."""
    query = (
        update(BotJob)
        .where(BotJob.id == job_id, BotJob.status == JobStatus.QUEUED)
        .values(
            status=JobStatus.RUNNING,
            lease_token=token,
            lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_s),
            last_heartbeat_at=func.clock_timestamp(),
            started_at=func.clock_timestamp(),
            run_id=run_id,
            epoch=epoch,
            version_id=version_id,
        )
        .returning(BotJob.started_at)
    )
    return session.scalars(query).one_or_none()


def renew(connection: Connection, job_id: UUID, token: UUID, *, lease_s: float, timeout_ms: int) -> bool:
    """Prolong a lease from now on; False when it is no longer held. The connection must be in autocommit."""
    query = (
        update(BotJob)
        .where(BotJob.id == job_id, BotJob.status == JobStatus.RUNNING, BotJob.lease_token == token)
        .values(
            lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_s),
            last_heartbeat_at=func.clock_timestamp(),
        )
    )
    connection.execute(text("SELECT set_config('statement_timeout', :ms, false)"), {"ms": str(timeout_ms)})
    try:
        return connection.execute(query).rowcount == 1
    finally:
        connection.execute(text("RESET statement_timeout"))


def finish(session: Session, job_id: UUID, token: UUID, ending: Ending) -> datetime | None:
    """End a RUNNING job held under this lease; return when, or None if it is no longer held (nothing changed)."""
    query = (
        update(BotJob)
        .where(BotJob.id == job_id, BotJob.status == JobStatus.RUNNING, BotJob.lease_token == token)
        .values(
            status=ending.status,
            lease_token=None,
            lease_expires_at=None,
            completed_at=func.clock_timestamp(),
            session_id=ending.session_id,
            error_code=ending.error_code,
            error_message=ending.error_message,
            suggested_fix=ending.suggested_fix,
        )
        .returning(BotJob.completed_at)
    )
    return session.scalars(query).one_or_none()


def lock_expired(session: Session, *, limit: int) -> Sequence[BotJob]:
    """Return RUNNING jobs whose lease is over by the database's clock, locked; those locked elsewhere are left."""
    query = (
        select(BotJob)
        .where(BotJob.status == JobStatus.RUNNING, BotJob.lease_expires_at < func.clock_timestamp())
        .order_by(BotJob.bot_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()
