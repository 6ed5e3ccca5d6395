"""The guarded end of a job that is no longer wanted."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
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
