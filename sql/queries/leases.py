"""Jobs and the leases on them: every change is guarded, and answers whether it changed anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType, TradeSource
from fleet.jobs import TERMINAL
from sql.tables.bots import Bot, BotBoundary
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


def jobs_of(session: Session, ids: Sequence[UUID]) -> Sequence[BotJob]:
    """Return jobs by id, as the database has them now."""
    return session.scalars(
        select(BotJob).where(BotJob.id.in_(ids)).order_by(BotJob.id).execution_options(populate_existing=True)
    ).all()


def ended_now(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BotJob]:
    """Return, by bot, the newest backtest that ended in its present epoch and version and was not canceled."""
    query = (
        select(BotJob)
        .join(Bot, and_(Bot.id == BotJob.bot_id, Bot.current_version_id == BotJob.version_id))
        .join(
            BotBoundary,
            and_(
                BotBoundary.bot_id == BotJob.bot_id,
                BotBoundary.source == TradeSource.BACKTEST,
                BotBoundary.epoch == BotJob.epoch,
            ),
        )
        .where(
            BotJob.bot_id.in_(bot_ids),
            BotJob.job_type == JobType.BACKTEST,
            BotJob.status.in_(TERMINAL - {JobStatus.CANCELED}),
        )
        .order_by(BotJob.created_at, BotJob.id)
    )
    return {job.bot_id: job for job in session.scalars(query)}


def count_root_jobs(session: Session, bot_id: UUID, job_type: JobType) -> int:
    """Count the bot's root jobs of a type: retries are not counted."""
    query = select(func.count()).where(
        BotJob.bot_id == bot_id, BotJob.job_type == job_type, BotJob.id == BotJob.root_job_id
    )
    return session.scalar(query) or 0


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
        .order_by(BotJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def lock_overdue(session: Session, *, minutes: int, limit: int) -> Sequence[BotJob]:
    """Return RUNNING jobs that started longer ago than that by the database's clock, locked."""
    query = (
        select(BotJob)
        .where(
            BotJob.status == JobStatus.RUNNING,
            BotJob.started_at < func.clock_timestamp() - timedelta(minutes=minutes),
        )
        .order_by(BotJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def lock_running_of(session: Session, run_ids: Sequence[str], *, limit: int) -> Sequence[BotJob]:
    """Return RUNNING jobs that these runs claimed, locked."""
    query = (
        select(BotJob)
        .where(BotJob.status == JobStatus.RUNNING, BotJob.run_id.in_(run_ids))
        .order_by(BotJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def running_run_ids(session: Session) -> Sequence[str]:
    """Return the runs that hold RUNNING jobs."""
    query = select(BotJob.run_id).where(BotJob.status == JobStatus.RUNNING, BotJob.run_id.is_not(None)).distinct()
    return [run_id for run_id in session.scalars(query) if run_id is not None]


def database_time(session: Session) -> datetime:
    """Return the database's clock, now."""
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def rearm(session: Session, *, lease_s: float) -> int:
    """Let every lease last from now on; return how many there are."""
    query = (
        update(BotJob)
        .where(BotJob.status == JobStatus.RUNNING)
        .values(lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_s))
        .returning(BotJob.id)
    )
    return len(session.scalars(query).all())
