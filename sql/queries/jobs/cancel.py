"""The guarded end of a job that is no longer wanted."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
from fleet.jobs import ACTIVE
from sql.tables.jobs import BotJob


def lock_job(session: Session, job_id: UUID) -> str | None:
    """Return a job's status as it is now; it stays so until the transaction ends."""
    return session.scalar(select(BotJob.status).where(BotJob.id == job_id).with_for_update())


def cancel(session: Session, job_id: UUID, old: JobStatus) -> bool:
    """End a job that is in that state CANCELED, and take its lease away; return whether anything changed."""
    query = (
        update(BotJob)
        .where(BotJob.id == job_id, BotJob.status == old)
        .values(
            status=JobStatus.CANCELED,
            lease_token=None,
            lease_expires_at=None,
            completed_at=func.clock_timestamp(),
        )
        .returning(BotJob.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(query) is not None


def lock_active_jobs(session: Session, bot_ids: Sequence[UUID]) -> Sequence[BotJob]:
    """Return these bots' QUEUED and RUNNING jobs, locked by id."""
    query = (
        select(BotJob)
        .where(BotJob.bot_id.in_(bot_ids), BotJob.status.in_(ACTIVE))
        .order_by(BotJob.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def cancel_jobs(session: Session, job_ids: Sequence[UUID]) -> None:
    """End locked jobs CANCELED, and take their leases away."""
    query = (
        update(BotJob)
        .where(BotJob.id.in_(job_ids), BotJob.status.in_(ACTIVE))
        .values(
            status=JobStatus.CANCELED,
            lease_token=None,
            lease_expires_at=None,
            completed_at=func.clock_timestamp(),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(query)
