"""Figures over all jobs, by the database's clock: a fixed number of queries, whatever the fleet's size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from fleet.closed_sets import JobStatus
from sql.queries.paging import After, Page, after_row, newest_first, page_of
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob

QUEUED_TOO_LONG: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class StuckJob:
    """A job that should have moved on; its age is since its start, or since it was due while it waits."""

    job_id: UUID
    bot_id: UUID
    job_type: str
    status: str
    age_seconds: float
    last_heartbeat_at: datetime | None


def counts(session: Session) -> Sequence[tuple[str, str, int]]:
    """Count jobs by type and status; those that there are none of are left out."""
    query = select(BotJob.job_type, BotJob.status, func.count()).group_by(BotJob.job_type, BotJob.status)
    return [(job_type, status, count) for job_type, status, count in session.execute(query)]


def oldest_queued_seconds(session: Session) -> float | None:
    """Return how long the oldest QUEUED job has been there; None without one."""
    query = select(_seconds_since(func.min(BotJob.created_at))).where(BotJob.status == JobStatus.QUEUED)
    return session.scalar(query)


def stuck(session: Session, *, max_job_minutes: int, limit: int) -> Sequence[tuple[StuckJob, int]]:
    """Return the oldest stuck jobs, each with how many there are: lost leases, jobs that run or wait too long."""
    since = case(
        (BotJob.status == JobStatus.RUNNING, BotJob.started_at),
        else_=func.greatest(BotJob.created_at, BotJob.not_before),
    )
    now = func.clock_timestamp()
    running = and_(
        BotJob.status == JobStatus.RUNNING,
        or_(BotJob.lease_expires_at < now, BotJob.started_at < now - timedelta(minutes=max_job_minutes)),
    )
    waiting = and_(BotJob.status == JobStatus.QUEUED, since < now - QUEUED_TOO_LONG)
    query = (
        select(
            BotJob.id,
            BotJob.bot_id,
            BotJob.job_type,
            BotJob.status,
            _seconds_since(since),
            BotJob.last_heartbeat_at,
            func.count().over(),
        )
        .where(or_(running, waiting))
        .order_by(since, BotJob.id)
        .limit(limit)
    )
    return [(StuckJob(*row[:6]), row[6]) for row in session.execute(query)]


def last_jobs(session: Session, *, after: After | None, limit: int) -> Page[BotJob, After]:
    """Return a page of the newest job of each active bot that had one, newest bot first."""
    earlier = aliased(BotJob)  # one index probe a bot, however many jobs it has had
    newest = (
        select(earlier.id)
        .where(earlier.bot_id == Bot.id)
        .order_by(earlier.created_at.desc(), earlier.id.desc())
        .limit(1)
        .correlate(Bot)
        .scalar_subquery()
    )
    query = select(Bot, BotJob).join(BotJob, BotJob.id == newest).where(Bot.archived_at.is_(None))
    rows = session.execute(newest_first(query, (Bot.created_at, Bot.id), after=after, limit=limit)).all()
    page = page_of(rows, limit, lambda row: after_row(row[0]))
    return page.with_rows([job for _bot, job in page.rows])


def _seconds_since(instant: ColumnElement[datetime]) -> ColumnElement[float]:
    return cast(func.extract("epoch", func.clock_timestamp() - instant), Float)
