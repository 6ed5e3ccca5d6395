"""The one door through which jobs are queued: each row with its ledger row and its line of the feed."""

from collections.abc import Sequence
from datetime import timedelta
from random import uniform
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.ids import new_id
from core.trace import current_trace_id
from fleet.backoff import backoff
from fleet.closed_sets import BacktestKind, JobType
from fleet.jobs import JobReason, Retry
from services.finding import lock_bot
from sql.queries.jobs import enqueue as queries
from sql.queries.jobs import read as job_queries
from sql.queries.jobs.enqueue import NewJob
from sql.tables.jobs import BotJob


def enqueue_jobs(
    session: Session,
    jobs: Sequence[NewJob],
    *,
    reason: JobReason,
    actor: str,
    max_attempts: int,
    trace_id: str | None = None,
    wait: timedelta | None = None,
) -> frozenset[UUID]:
    """Queue jobs in this order; return those that were queued: a bot with an active job gets none (a unit).

    A fixed number of statements. reason: of a first attempt's ledger row; a further one's is RETRY. trace_id: the
    jobs'; None: the current one. wait: how long they may not be claimed.
    """
    if not jobs:
        return frozenset()
    here = current_trace_id()
    made = queries.insert_jobs(
        session, jobs, max_attempts=max_attempts, wait=wait, actor=actor, trace_id=trace_id or here
    )
    queued = [job for job in jobs if job.id in made]
    queries.insert_ledger_rows(session, [job.id for job in queued], reason=reason)
    queries.insert_feed_lines(session, [(new_id(), job) for job in queued], trace_id=here)
    return made


def enqueue_retry(session: Session, job: BotJob, retry: Retry) -> UUID | None:
    """Queue the next attempt of a job that just ended, behind a pause: same root, work, actor and trace (a unit).

    Return its id; None where the bot has another active job.
    """
    kind = BacktestKind(job.kind) if job.kind else None
    new = NewJob(new_id(), job.bot_id, JobType(job.job_type), kind, retry.root_job_id, retry.attempt)
    made = enqueue_jobs(
        session,
        [new],
        reason=JobReason.RETRY,
        actor=job.actor,
        max_attempts=job.max_attempts,
        trace_id=job.trace_id,
        wait=backoff(job.attempt, uniform(-1, 1)),  # noqa: S311 - no secret
    )
    return new.id if new.id in made else None


def enqueue_job(
    session: Session,
    bot_id: UUID,
    *,
    kind: BacktestKind | None,
    actor: str,
    max_attempts: int = 3,
    job_type: JobType = JobType.BACKTEST,
) -> UUID:
    """Queue a job that someone asks for; return its id (a unit: the caller commits). kind: of a backtest, else None.

    Raises:
        GantryError: NOT_FOUND; CONFLICT when the bot has an active job (facts: job_id, status).

    """
    bot = lock_bot(session, bot_id)
    active = job_queries.active_job(session, bot_id)
    if active is not None:
        raise GantryError(
            ErrorCode.CONFLICT,
            f"{bot.name} already has a job: it is {active.status}.",
            fix=f"Wait for it to end: `gantry jobs show {active.id}`, or GET /api/bots/{bot_id}/jobs.",
            kind=Kind.CONFLICT,
            facts={"job_id": str(active.id), "status": active.status},
        )
    new = NewJob(new_id(), bot_id, job_type, kind)
    enqueue_jobs(session, [new], reason=JobReason.REQUESTED, actor=actor, max_attempts=max_attempts)
    return new.id
