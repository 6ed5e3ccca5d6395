"""Jobs: enqueue, end, read. `services.claims` takes, `services.reaper` rescues them; each move is in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind, not_found
from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import BacktestKind, JobStatus, JobType
from fleet.jobs import JobReason, iteration_after, reason_of, retry_of
from fleet.telling import told_of, word_of
from services import events, ledger
from services.backtests import Plan
from services.heartbeat import lease_lost
from services.reads import After, unknown_bot
from sql.queries import fleet, leases
from sql.queries.leases import Ending
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to a job: everything it writes is guarded by the token. epoch: copied at the claim."""

    job_id: UUID
    bot_id: UUID
    version_id: UUID
    token: UUID
    epoch: int
    attempt: int
    max_attempts: int
    root_job_id: UUID
    started_at: datetime
    trace_id: str
    actor: str
    plan: Plan
    job_type: JobType = JobType.BACKTEST
    kind: BacktestKind | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs; `following` is where the next one starts."""

    jobs: Sequence[BotJob]
    following: After | None


def enqueue(
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
    active = leases.active_job(session, bot_id)
    if active is not None:
        raise GantryError(
            ErrorCode.CONFLICT,
            f"{bot.name} has a job already: it is {active.status}.",
            fix="Wait for it to end.",
            kind=Kind.CONFLICT,
            facts={"job_id": str(active.id), "status": active.status},
        )
    earlier = leases.count_root_jobs(session, bot_id, job_type)
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


def fail(session: Session, held: Claim, error: GantryError, *, session_id: UUID | None) -> datetime:
    """End a job FAILED, and queue the next attempt where another one may cure it; return when.

    Raises:
        GantryError: HEARTBEAT_TIMEOUT when the lease is no longer held: roll everything back.

    """
    reason = reason_of(error.code)
    ending = Ending(JobStatus.FAILED, session_id, error.code.value, error.message, error.fix)
    ended = leases.finish(session, held.job_id, held.token, ending)
    if ended is None:
        raise lease_lost(held.job_id)
    ledger.record(session, held.job_id, JobStatus.RUNNING, JobStatus.FAILED, reason, {"error_code": error.code.value})
    events.tell(
        session,
        told_of(held.job_type, "FAILED"),
        f"{word_of(held.job_type)} failed: {error.message}",
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
        ledger.queue(session, ledger.next_attempt(get(session, held.job_id), retry), JobReason.RETRY)
    return ended


def get(session: Session, job_id: UUID) -> BotJob:
    """Return one job as the database has it now.

    Raises:
        GantryError: NOT_FOUND.

    """
    job = session.get(BotJob, job_id, populate_existing=True)
    if job is None:
        raise not_found("job", job_id, fix="List a bot's jobs: GET /api/bots/{id}/jobs.")
    return job


def active_job(session: Session, bot_id: UUID) -> BotJob | None:
    """Return the bot's QUEUED or RUNNING job."""
    return leases.active_job(session, bot_id)


def page(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> JobPage:
    """Return a page of a bot's jobs, newest first.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    events.require_bot(session, bot_id)
    rows = fleet.page_jobs(session, bot_id, after=after, limit=limit)
    last = rows[limit - 1] if len(rows) > limit else None
    return JobPage(rows[:limit], After(last.created_at, last.id) if last else None)


def lock_bot(session: Session, bot_id: UUID) -> Bot:
    """Return a bot that is not archived, locked until the transaction ends.

    Raises:
        GantryError: NOT_FOUND; CONFLICT for an archived one.

    """
    # Not FOR UPDATE: a row that refers to the bot, such as the retry of a lost job, needn't wait for this.
    bot = session.get(Bot, bot_id, with_for_update={"key_share": True})
    if bot is None:
        raise unknown_bot(bot_id)
    if bot.archived_at is not None:
        raise GantryError(
            ErrorCode.CONFLICT, f"{bot.name} is archived.", fix="Make a new bot instead.", kind=Kind.CONFLICT
        )
    return bot
