"""Ends of jobs, each guarded by its lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import column, func, select, update, values
from sqlalchemy import types as sa
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob


def hold_versions(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Return the bots' current versions; they stay so until the transaction ends."""
    query = select(Bot.id, Bot.current_version_id).where(Bot.id.in_(bot_ids)).order_by(Bot.id)
    rows = session.execute(query.with_for_update(read=True))
    return {bot_id: version_id for bot_id, version_id in rows if version_id is not None}


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


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ends: status, what it led to, or why it failed."""

    status: JobStatus
    session_id: UUID | None = None
    error_code: str | None = None
    error_message: str | None = None
    suggested_fix: str | None = None


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
