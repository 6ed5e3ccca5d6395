"""Claims of several jobs at once: the lock on the caps, the oldest QUEUED jobs, and guarded updates of many rows.

Locks are taken in this order everywhere: caps, bots by id, jobs by id.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Row, column, func, or_, select, update, values
from sqlalchemy import types as sa
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType
from sql.queries import current
from sql.tables.bots import Bot, BotBoundary, BotVersion
from sql.tables.jobs import BotJob

CAPS_LOCK = 0x6361_7073  # "caps"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A QUEUED job that may be claimed now."""

    job_id: UUID
    bot_id: UUID
    symbol: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a claim gives one job: its lease's token, and epoch and version as they are under their locks."""

    job_id: UUID
    token: UUID
    epoch: int
    version_id: UUID


def lock_caps(session: Session) -> None:
    """Wait for the right to claim, until the transaction ends: counts made under it stay true."""
    session.execute(select(func.pg_advisory_xact_lock(CAPS_LOCK)))


def running_by_type(session: Session) -> Mapping[JobType, int]:
    """Count RUNNING jobs; types without one are left out."""
    query = select(BotJob.job_type, func.count()).where(BotJob.status == JobStatus.RUNNING).group_by(BotJob.job_type)
    return {JobType(job_type): count for job_type, count in session.execute(query)}


def running_by_symbol(session: Session) -> Mapping[str, int]:
    """Count RUNNING jobs by their bots' symbol; symbols without one are left out."""
    query = (
        select(Bot.symbol, func.count())
        .join(BotJob, BotJob.bot_id == Bot.id)
        .where(BotJob.status == JobStatus.RUNNING)
        .group_by(Bot.symbol)
    )
    return {symbol: count for symbol, count in session.execute(query)}  # noqa: C416 - mypy doesn't take rows for pairs


def oldest_queued(
    session: Session,
    job_types: Collection[JobType],
    *,
    limit: int,
    symbol: str | None,
    bot_ids: Sequence[UUID] | None,
) -> Sequence[Candidate]:
    """Return the oldest due QUEUED jobs of these types, of active bots, one symbol or some bots only where asked.

    They aren't locked.
    """
    query = (
        select(BotJob.id, BotJob.bot_id, Bot.symbol)
        .join(Bot, Bot.id == BotJob.bot_id)
        .where(BotJob.status == JobStatus.QUEUED, BotJob.job_type.in_(job_types), _due(), Bot.archived_at.is_(None))
    )
    if symbol is not None:
        query = query.where(Bot.symbol == symbol)
    if bot_ids is not None:
        query = query.where(BotJob.bot_id.in_(bot_ids))
    return [Candidate(*row) for row in session.execute(query.order_by(BotJob.created_at, BotJob.id).limit(limit))]


def oldest_symbol(session: Session, job_types: Collection[JobType], *, but: Collection[str] = ()) -> str | None:
    """Return the symbol of the oldest due QUEUED job of these types, of any symbol but those; None without one."""
    query = (
        select(Bot.symbol)
        .join(BotJob, BotJob.bot_id == Bot.id)
        .where(BotJob.status == JobStatus.QUEUED, BotJob.job_type.in_(job_types), _due(), Bot.archived_at.is_(None))
    )
    if but:
        query = query.where(Bot.symbol.not_in(but))
    return session.scalar(query.order_by(BotJob.created_at, BotJob.id).limit(1))


def lock_bots(session: Session, bot_ids: Sequence[UUID]) -> Sequence[Row[Bot, BotVersion, int]]:
    """Return bots, current versions and BACKTEST epochs, held by id: they stay so until the transaction ends.

    Bots that someone is changing at this moment are left out, and found by the next claim.
    """
    query = (
        select(Bot, BotVersion, BotBoundary.epoch)
        .join(BotVersion, current.version_of(Bot))
        .join(BotBoundary, current.boundary_of(Bot.id))
        .where(Bot.id.in_(bot_ids), Bot.archived_at.is_(None))
        .order_by(Bot.id)
        .with_for_update(read=True, of=[Bot, BotBoundary], skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.execute(query).all()


def lock_queued(session: Session, job_ids: Sequence[UUID]) -> Sequence[BotJob]:
    """Return those that are still QUEUED, locked by id."""
    query = (
        select(BotJob)
        .where(BotJob.id.in_(job_ids), BotJob.status == JobStatus.QUEUED)
        .order_by(BotJob.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def take(
    session: Session, jobs: Sequence[Taken], *, lease_s: float, run_id: str | None, worker_id: UUID | None
) -> Mapping[UUID, datetime]:
    """Put QUEUED jobs under leases; return when each started. Those that aren't QUEUED any more are left out."""
    rows = values(
        column("job_id", sa.Uuid), column("token", sa.Uuid), column("epoch", sa.Integer), column("version_id", sa.Uuid),
        name="taken",
    ).data([(job.job_id, job.token, job.epoch, job.version_id) for job in jobs])  # fmt: skip
    query = (
        update(BotJob)
        .where(BotJob.id == rows.c.job_id, BotJob.status == JobStatus.QUEUED)
        .values(
            status=JobStatus.RUNNING,
            lease_token=rows.c.token,
            lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_s),
            last_heartbeat_at=func.clock_timestamp(),
            started_at=func.clock_timestamp(),
            run_id=run_id,
            worker_id=worker_id,
            epoch=rows.c.epoch,
            version_id=rows.c.version_id,
        )
        .returning(BotJob.id, BotJob.started_at)
        .execution_options(synchronize_session=False)
    )
    return {job_id: started_at for job_id, started_at in session.execute(query) if started_at is not None}


def _due() -> ColumnElement[bool]:
    return or_(BotJob.not_before.is_(None), BotJob.not_before <= func.clock_timestamp())
