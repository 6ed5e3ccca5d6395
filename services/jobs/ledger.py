"""The ledger of jobs: one row for every transition, in the transaction that makes it."""

from collections.abc import Sequence
from random import uniform
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert
from sqlalchemy.orm import Session

from core.ids import new_id
from core.trace import current_trace_id
from fleet.backoff import backoff
from fleet.closed_sets import JobStatus
from fleet.job_feed import told_of, word_of
from fleet.jobs import JobReason, Retry
from services import events
from services.events import JobRef
from sql.tables.jobs import BotJob, JobRunEvent


def next_attempt(job: BotJob, retry: Retry) -> BotJob:
    """Return the row of a job's next attempt: same root, same work, same trace."""
    return BotJob(
        id=new_id(),
        root_job_id=retry.root_job_id,
        bot_id=job.bot_id,
        job_type=job.job_type,
        kind=job.kind,
        status=JobStatus.QUEUED,
        attempt=retry.attempt,
        not_before=func.clock_timestamp() + backoff(job.attempt, uniform(-1, 1)),  # noqa: S311 - no secret
        max_attempts=job.max_attempts,
        iteration=job.iteration,
        actor=job.actor,
        trace_id=job.trace_id,
    )


def queue(session: Session, job: BotJob, reason: JobReason) -> None:
    """Insert a QUEUED job with its first ledger row, and tell of it."""
    session.add(job)
    session.flush()
    record(session, job.id, None, JobStatus.QUEUED, reason, {"attempt": job.attempt}, trace_id=job.trace_id)
    events.tell(
        session,
        told_of(job.job_type, "QUEUED"),
        f"{word_of(job.job_type)} queued, attempt {job.attempt}.",
        actor=job.actor,
        bot_id=job.bot_id,
        job_id=job.id,
    )


def record_all(
    session: Session,
    old: JobStatus,
    new: JobStatus,
    reason: JobReason,
    jobs: Sequence[tuple[JobRef, dict[str, Any]]],
) -> None:
    """Write the same transition of several jobs, each under its own trace and with its own metadata."""
    if jobs:
        rows = [
            {
                "job_id": job.job_id,
                "from_status": old,
                "to_status": new,
                "reason_code": reason,
                "trace_id": job.trace_id,
                "event_metadata": metadata,
            }
            for job, metadata in jobs
        ]
        session.execute(insert(JobRunEvent), rows)


def record(
    session: Session,
    job_id: UUID,
    old: JobStatus | None,
    new: JobStatus,
    reason: JobReason,
    metadata: dict[str, Any],
    *,
    trace_id: str | None = None,
) -> None:
    """Write one transition; old is None for the enqueue."""
    session.add(
        JobRunEvent(
            job_id=job_id,
            from_status=old,
            to_status=new,
            reason_code=reason,
            trace_id=trace_id or current_trace_id(),
            event_metadata=metadata,
        )
    )
    session.flush()
