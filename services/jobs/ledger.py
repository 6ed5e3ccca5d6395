"""The ledger of jobs: one row for every transition, in the transaction that makes it.

The first row of a job is written as it is queued: `services.jobs.enqueue`.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.trace import current_trace_id
from fleet.closed_sets import JobStatus
from fleet.jobs import JobReason
from services.events import JobRef
from sql.tables.jobs import JobRunEvent


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
    old: JobStatus,
    new: JobStatus,
    reason: JobReason,
    metadata: dict[str, Any],
    *,
    trace_id: str | None = None,
) -> None:
    """Write one transition."""
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
