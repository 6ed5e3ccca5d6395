"""Proof of what ran: jobs by status and type, what is stuck, and each bot's newest job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType
from sql.queries.paging import After, Page
from sql.queries.proof import jobs as queries
from sql.queries.proof.jobs import StuckJob
from sql.tables.jobs import BotJob

MOST_STUCK: Final = 200


@dataclass(frozen=True, slots=True)
class JobsProof:
    """All jobs in figures; zero counts are present. `stuck` holds the oldest 200 of `stuck_count`.

    last_job_per_bot: a page, of active bots that had one, newest bot first.
    """

    counts: Mapping[JobStatus, int]
    by_type: Mapping[JobType, Mapping[JobStatus, int]]
    oldest_queued_seconds: float | None
    stuck: Sequence[StuckJob]
    stuck_count: int
    last_job_per_bot: Page[BotJob, After]


def jobs_proof(session: Session, *, max_job_minutes: int, after: After | None, limit: int) -> JobsProof:
    """Return the proof, in four queries."""
    by_type = {job_type: dict.fromkeys(JobStatus, 0) for job_type in JobType}
    for job_type, status, count in queries.counts(session):
        by_type[JobType(job_type)][JobStatus(status)] = count
    stuck = queries.stuck(session, max_job_minutes=max_job_minutes, limit=MOST_STUCK)
    last_jobs = queries.last_jobs(session, after=after, limit=limit)
    return JobsProof(
        counts={status: sum(found[status] for found in by_type.values()) for status in JobStatus},
        by_type=by_type,
        oldest_queued_seconds=queries.oldest_queued_seconds(session),
        stuck=[job for job, _ in stuck],
        stuck_count=stuck[0][1] if stuck else 0,
        last_job_per_bot=last_jobs,
    )
