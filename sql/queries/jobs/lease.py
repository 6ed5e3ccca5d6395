"""Leases: prolonged, found expired, armed anew."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, column, func, select, text, update, values
from sqlalchemy import types as sa
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
from sql.tables.jobs import BotJob


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
        connection.invalidate()  # its next user must not inherit the short timeout
        raise
    return kept


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


def rearm(session: Session, *, lease_s: float) -> int:
    """Let every lease last from now on; return how many there are."""
    query = (
        update(BotJob)
        .where(BotJob.status == JobStatus.RUNNING)
        .values(lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_s))
        .returning(BotJob.id)
    )
    return len(session.scalars(query).all())
