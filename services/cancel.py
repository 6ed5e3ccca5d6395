"""Cancel a job: nobody works on it any more, and what a worker still computes for it is not written."""

from sqlalchemy.orm import Session

from fleet.closed_sets import ActivityEvent, JobStatus
from fleet.jobs import ACTIVE, JobReason, check_transition
from services import events, ledger
from sql.queries import cancel as queries
from sql.tables.jobs import BotJob

_WHY = {JobReason.ARCHIVED: "its bot was archived", JobReason.CANCELED_BY_PERSON: "someone asked for it"}


def cancel_job(session: Session, job: BotJob, *, reason: JobReason, actor: str) -> bool:
    """End a QUEUED or RUNNING job CANCELED; return whether it was still to be ended (a unit: the caller commits).

    Its lease's token is cleared: whatever a late worker writes is guarded by that, and changes nothing.
    """
    status = queries.lock_job(session, job.id)
    if status is None or status not in ACTIVE:
        return False
    old = JobStatus(status)
    check_transition(old, JobStatus.CANCELED)
    if not queries.cancel(session, job.id, old):
        return False  # locked by us, so this can't be; a ledger row without a change would be worse
    ledger.record(session, job.id, old, JobStatus.CANCELED, reason, {"actor": actor}, trace_id=job.trace_id)
    events.tell(
        session,
        ActivityEvent.BACKTEST_CANCELED,
        f"Backtest canceled: {_WHY.get(reason, reason.value)}.",
        actor=actor,
        bot_id=job.bot_id,
        job_id=job.id,
        payload={"from_status": old, "reason_code": reason},
    )
    return True
