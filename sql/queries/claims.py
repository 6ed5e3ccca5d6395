"""Claims of several jobs at once: the lock on the caps, the oldest QUEUED jobs, and guarded updates of many rows.

Locks are taken in this order everywhere: caps, bots by id, jobs by id.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, case, column, func, or_, select, text, update, values
from sqlalchemy import types as sa
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType, TradeSource
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
    return {symbol: count for symbol, count in session.execute(query)}  # noqa: C416 - rows are no pairs to mypy


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
        .join(BotVersion, BotVersion.id == Bot.current_version_id)
        .join(BotBoundary, and_(BotBoundary.bot_id == Bot.id, BotBoundary.source == TradeSource.BACKTEST))
        .where(Bot.id.in_(bot_ids), Bot.archived_at.is_(None))
        .order_by(Bot.id)
        .with_for_update(read=True, of=[Bot, BotBoundary], skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.execute(query).all()


def hold_versions(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Return the bots' current versions; they stay so until the transaction ends."""
    query = select(Bot.id, Bot.current_version_id).where(Bot.id.in_(bot_ids)).order_by(Bot.id)
    rows = session.execute(query.with_for_update(read=True))
    return {bot_id: version_id for bot_id, version_id in rows if version_id is not None}


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


def complete(session: Session, held: Mapping[UUID, tuple[UUID, UUID]]) -> Mapping[UUID, datetime]:
    """End RUNNING jobs COMPLETED; return when, for those whose lease was still held.

    held: by job, its lease's token and the session it led to.
    """
    if not held:
        return {}
    rows = values(column("job_id", sa.Uuid), column("token", sa.Uuid), column("session_id", sa.Uuid), name="done").data(
        [(job_id, token, session_id) for job_id, (token, session_id) in sorted(held.items())]
    )
    query = (
        update(BotJob)
        .where(BotJob.id == rows.c.job_id, BotJob.status == JobStatus.RUNNING, BotJob.lease_token == rows.c.token)
        .values(
            status=JobStatus.COMPLETED,
            lease_token=None,
            lease_expires_at=None,
            completed_at=func.clock_timestamp(),
            session_id=rows.c.session_id,
            progress=1.0,
        )
        .returning(BotJob.id, BotJob.completed_at)
        .execution_options(synchronize_session=False)
    )
    return {job_id: ended for job_id, ended in session.execute(query) if ended is not None}


def renew(
    connection: Connection, held: Mapping[UUID, UUID], *, lease_s: float, timeout_ms: int, progress: float | None
) -> frozenset[UUID]:
    """Prolong leases from now on; return the jobs that are still held. The connection must be in autocommit.

    held: token by job. progress: share done, 0 to 1, of the work they belong to; None leaves it.
    """
    rows = values(column("job_id", sa.Uuid), column("token", sa.Uuid), name="held").data(sorted(held.items()))
    now = func.clock_timestamp()
    changes: dict[str, Any] = {"lease_expires_at": now + timedelta(seconds=lease_s), "last_heartbeat_at": now}
    if progress is not None:
        grown = func.coalesce(BotJob.progress, -1.0) < progress
        changes |= {"progress": progress, "progress_at": case((grown, now), else_=BotJob.progress_at)}
    query = (
        update(BotJob)
        .where(BotJob.id == rows.c.job_id, BotJob.status == JobStatus.RUNNING, BotJob.lease_token == rows.c.token)
        .values(**changes)
        .returning(BotJob.id)
    )
    connection.execute(text("SELECT set_config('statement_timeout', :ms, false)"), {"ms": str(timeout_ms)})
    try:
        kept = frozenset(connection.scalars(query))
        connection.execute(text("RESET statement_timeout"))
    except BaseException:
        connection.invalidate()  # whoever gets it next must not inherit the short timeout
        raise
    return kept


def _due() -> ColumnElement[bool]:
    return or_(BotJob.not_before.is_(None), BotJob.not_before <= func.clock_timestamp())
