"""Queue a job of a bot."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import BacktestKind, JobStatus, JobType
from fleet.jobs import JobReason, iteration_after
from services.finding import lock_bot
from services.jobs import ledger
from sql.queries.jobs import read as job_queries
from sql.tables.jobs import BotJob


def enqueue_job(
    session: Session,
    bot_id: UUID,
    *,
    kind: BacktestKind | None,
    actor: str,
    max_attempts: int = 3,
    job_type: JobType = JobType.BACKTEST,
) -> UUID:
    """Queue a job of a bot; return its id (a unit: the caller commits). kind: of a backtest, else None.

    Raises:
        GantryError: NOT_FOUND; CONFLICT when the bot has an active job (facts: job_id, status).

    """
    bot = lock_bot(session, bot_id)
    active = job_queries.active_job(session, bot_id)
    if active is not None:
        raise GantryError(
            ErrorCode.CONFLICT,
            f"{bot.name} has a job already: it is {active.status}.",
            fix="Wait for it to end.",
            kind=Kind.CONFLICT,
            facts={"job_id": str(active.id), "status": active.status},
        )
    earlier = job_queries.count_root_jobs(session, bot_id, job_type)
    job_id = new_id()
    job = BotJob(
        id=job_id,
        root_job_id=job_id,
        bot_id=bot_id,
        job_type=job_type,
        kind=kind,
        status=JobStatus.QUEUED,
        attempt=1,
        max_attempts=max_attempts,
        iteration=iteration_after(earlier),
        actor=actor,
        trace_id=current_trace_id(),
    )
    ledger.queue(session, job, JobReason.REQUESTED)
    return job_id
