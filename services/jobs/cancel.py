"""Cancel a job: nobody works on it any more, and what a worker still computes for it is not written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
from fleet.job_feed import event_of, label_of_type
from fleet.jobs import ACTIVE, JobReason, check_transition
from services import events
from services.jobs import ledger
from sql.queries.jobs import cancel as cancel_queries
from sql.queries.jobs import read as job_queries
from sql.tables.jobs import BotJob

_WHY = {
    JobReason.ARCHIVED: "its bot was archived",
    JobReason.CANCELED_BY_PERSON: "a user requested it",
    JobReason.METRICS_RESET: "its bot's metrics were reset",
    JobReason.BULK_REVERT: "its bot was put back into LAB",
    JobReason.LEFT_LAB: "its bot left LAB",
}


def cancel_job(session: Session, job: BotJob, *, reason: JobReason, actor: str) -> bool:
    """End a QUEUED or RUNNING job CANCELED; return whether it was still to be ended (a unit: the caller commits).

    Its lease's token is cleared: whatever a late worker writes is guarded by that, and changes nothing.
    """
    status = cancel_queries.lock_job(session, job.id)
    if status is None or status not in ACTIVE:
        return False
    old = JobStatus(status)
    check_transition(old, JobStatus.CANCELED)
    if not cancel_queries.cancel(session, job.id, old):
        return False  # locked by us, so this can't be; a ledger row without a change would be worse
    ledger.record(session, job.id, old, JobStatus.CANCELED, reason, {"actor": actor}, trace_id=job.trace_id)
    events.publish(
        session,
        event_of(job.job_type, "CANCELED"),
        f"{label_of_type(job.job_type)} canceled: {_WHY.get(reason, reason.value)}.",
        actor=actor,
        bot_id=job.bot_id,
        job_id=job.id,
        payload={"from_status": old, "reason_code": reason},
    )
    return True


def cancel_active(session: Session, bot_id: UUID, *, reason: JobReason, actor: str) -> list[UUID]:
    """End what is active of a bot, which is locked, until nothing is; return the jobs (a unit).

    A job that ends at this moment may have left a retry in its place.
    """
    canceled: list[UUID] = []
    while (job := job_queries.active_job(session, bot_id)) is not None:
        if cancel_job(session, job, reason=reason, actor=actor):
            canceled.append(job.id)
    return canceled


def cancel_all(session: Session, bot_ids: Sequence[UUID], *, reason: JobReason, actor: str) -> Mapping[UUID, UUID]:
    """End the active jobs of bots, which are locked, in a fixed number of statements; return them by bot (a unit)."""
    jobs = [(job, JobStatus(job.status)) for job in cancel_queries.lock_active_jobs(session, bot_ids)]
    if not jobs:
        return {}
    cancel_queries.cancel_jobs(session, [job.id for job, _old in jobs])
    for old in sorted({old for _job, old in jobs}):
        check_transition(old, JobStatus.CANCELED)
        ended = [(Ended.of(job), {"actor": actor}) for job, before in jobs if before is old]
        ledger.record_all(session, old, JobStatus.CANCELED, reason, ended)
    reported = [
        (
            event_of(job.job_type, "CANCELED"),
            Ended.of(job),
            f"{label_of_type(job.job_type)} canceled: {_WHY[reason]}.",
            {"from_status": old, "reason_code": reason, "by": actor},
        )
        for job, old in jobs
    ]
    events.publish_each(session, reported)
    return {job.bot_id: job.id for job, _old in jobs}


@dataclass(frozen=True, slots=True)
class Ended:
    """What ledger and feed say of a job."""

    job_id: UUID
    bot_id: UUID
    trace_id: str
    actor: str

    @classmethod
    def of(cls, job: BotJob) -> "Ended":
        """Take it from the row."""
        return cls(job.id, job.bot_id, job.trace_id, job.actor)
