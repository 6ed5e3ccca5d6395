"""End a job that failed, and queue its next attempt."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import GantryError
from fleet.closed_sets import JobStatus
from fleet.job_feed import event_of, label_of_type
from fleet.jobs import reason_of, retry_of
from services import events
from services.jobs import ledger
from services.jobs.enqueue import enqueue_retry
from services.jobs.lease import lease_lost
from services.jobs.plan import Claim
from services.jobs.read import get_job
from sql.queries.jobs import finish as finish_queries
from sql.queries.jobs.finish import Ending


def fail_job(session: Session, held: Claim, error: GantryError, *, session_id: UUID | None) -> datetime:
    """End a job FAILED, and queue the next attempt where another one may cure it; return when.

    Raises:
        GantryError: HEARTBEAT_TIMEOUT when the lease is no longer held: roll everything back.

    """
    reason = reason_of(error.code)
    ending = Ending(JobStatus.FAILED, session_id, error.code.value, error.message, error.fix)
    ended = finish_queries.finish(session, held.job_id, held.token, ending)
    if ended is None:
        raise lease_lost(held.job_id)
    ledger.record(session, held.job_id, JobStatus.RUNNING, JobStatus.FAILED, reason, {"error_code": error.code.value})
    events.publish(
        session,
        event_of(held.job_type, "FAILED"),
        f"{label_of_type(held.job_type)} failed: {error.message}",
        actor=held.actor,
        bot_id=held.bot_id,
        job_id=held.job_id,
        payload={"error_code": error.code.value, "suggested_fix": error.fix},
    )
    retry = retry_of(
        JobStatus.FAILED,
        reason,
        root_job_id=held.root_job_id,
        attempt=held.attempt,
        max_attempts=held.max_attempts,
    )
    if retry is not None:
        enqueue_retry(session, get_job(session, held.job_id), retry)
    return ended
