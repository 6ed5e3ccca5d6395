"""Jobs: enqueue, claim, end, and rescue those whose worker was lost. Every transition has its ledger row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind, not_found
from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, BacktestKind, JobStatus, JobType, SystemEvent, TradeSource
from fleet.jobs import JobReason, check_transition, iteration_after, reason_of, retry_of
from services import events, ledger
from services.heartbeat import LeaseTerms, lease_lost
from services.reads import After, unknown_bot
from sql.engine import Transactions
from sql.queries import fleet, leases
from sql.queries.leases import Ending
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob

REAP_LIMIT = 500


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that waits for a worker."""

    job_id: UUID
    bot_id: UUID
    attempt: int
    trace_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReapReport:
    """What a rescue did: jobs turned to TIMEOUT, and the retries queued in their place."""

    timed_out: tuple[UUID, ...]
    retried: tuple[UUID, ...]


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


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs; `following` is where the next one starts."""

    jobs: Sequence[BotJob]
    following: After | None


def enqueue(session: Session, bot_id: UUID, *, kind: BacktestKind, actor: str, max_attempts: int = 3) -> UUID:
    """Queue a backtest of a bot; return the job's id (a unit: the caller commits).

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
    earlier = leases.count_root_jobs(session, bot_id, JobType.BACKTEST)
    job_id = new_id()
    job = BotJob(
        id=job_id,
        root_job_id=job_id,
        bot_id=bot_id,
        job_type=JobType.BACKTEST,
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


def claim(session: Session, job: BotJob, *, version_id: UUID, run_id: str | None, terms: LeaseTerms) -> Claim | None:
    """Take a QUEUED job under a lease, its epoch copied under the boundary's lock; None if someone else was faster."""
    token = new_id()
    epoch = leases.lock_epoch(session, job.bot_id, TradeSource.BACKTEST)
    started_at = leases.claim(
        session, job.id, token=token, lease_s=terms.lease_s, run_id=run_id, epoch=epoch, version_id=version_id
    )
    if started_at is None:
        return None
    ledger.record(
        session, job.id, JobStatus.QUEUED, JobStatus.RUNNING, JobReason.CLAIMED, {"run_id": run_id, "epoch": epoch}
    )
    events.tell(
        session,
        ActivityEvent.BACKTEST_STARTED,
        f"Backtest started, attempt {job.attempt}.",
        actor=job.actor,
        bot_id=job.bot_id,
        job_id=job.id,
    )
    return Claim(
        job.id,
        job.bot_id,
        version_id,
        token,
        epoch,
        job.attempt,
        job.max_attempts,
        job.root_job_id,
        started_at,
        job.trace_id,
        job.actor,
    )


def complete(session: Session, held: Claim, session_id: UUID) -> datetime:
    """End a job COMPLETED; return when. Call it first in the transaction that writes the results.

    Raises:
        GantryError: HEARTBEAT_TIMEOUT when the lease is no longer held: roll everything back.

    """
    ended = leases.finish(session, held.job_id, held.token, Ending(JobStatus.COMPLETED, session_id=session_id))
    if ended is None:
        raise lease_lost(held.job_id)
    ledger.record(
        session,
        held.job_id,
        JobStatus.RUNNING,
        JobStatus.COMPLETED,
        JobReason.FINISHED,
        {"session_id": str(session_id)},
    )
    return ended


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
        ActivityEvent.BACKTEST_FAILED,
        f"Backtest failed: {error.message}",
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


def queued(session: Session, *, limit: int = 500) -> tuple[QueuedJob, ...]:
    """Return the oldest QUEUED jobs, oldest first."""
    rows = leases.queued_jobs(session, limit=limit)
    return tuple(QueuedJob(job.id, job.bot_id, job.attempt, job.trace_id, job.created_at) for job in rows)


def reap_lost_leases(tx: Transactions, *, actor: str) -> ReapReport:
    """Turn RUNNING jobs whose lease expired (by the database's clock) into TIMEOUT and queue their retries: a flow."""
    timed_out: list[UUID] = []
    retried: list[UUID] = []
    with tx() as session:
        for job in leases.lock_expired(session, limit=REAP_LIMIT):
            retry_id = _time_out(session, job)
            timed_out.append(job.id)
            if retry_id is not None:
                retried.append(retry_id)
        if timed_out:
            events.note(
                session,
                SystemEvent.LEASES_REAPED,
                f"{len(timed_out)} jobs lost their worker; {len(retried)} are queued again.",
                actor=actor,
                payload={"timed_out": [str(i) for i in timed_out], "retried": [str(i) for i in retried]},
            )
    return ReapReport(tuple(timed_out), tuple(retried))


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
    bot = session.get(Bot, bot_id, with_for_update=True)
    if bot is None:
        raise unknown_bot(bot_id)
    if bot.archived_at is not None:
        raise GantryError(
            ErrorCode.CONFLICT, f"{bot.name} is archived.", fix="Make a new bot instead.", kind=Kind.CONFLICT
        )
    return bot


def _time_out(session: Session, job: BotJob) -> UUID | None:
    """End one lost job; return its retry's id, None when no attempt is left."""
    check_transition(JobStatus(job.status), JobStatus.TIMEOUT)
    lost = GantryError(
        ErrorCode.HEARTBEAT_TIMEOUT,
        "The worker stopped renewing its lease.",
        fix="Nothing to do while attempts are left; then look at the run's log and ask for a backtest again.",
    )
    token = job.lease_token
    ending = Ending(JobStatus.TIMEOUT, None, lost.code.value, lost.message, lost.fix)
    if token is None or leases.finish(session, job.id, token, ending) is None:
        return None  # locked by us and RUNNING, so this can't be; a ledger row without a change would be worse
    ledger.record(
        session,
        job.id,
        JobStatus.RUNNING,
        JobStatus.TIMEOUT,
        JobReason.HEARTBEAT_TIMEOUT,
        {"run_id": job.run_id},
        trace_id=job.trace_id,
    )
    retry = retry_of(
        JobStatus.TIMEOUT,
        JobReason.HEARTBEAT_TIMEOUT,
        root_job_id=job.root_job_id,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
    )
    if retry is None:
        events.tell(
            session,
            ActivityEvent.BACKTEST_FAILED,
            f"Backtest failed: its worker was lost {job.attempt} times.",
            actor=job.actor,
            bot_id=job.bot_id,
            job_id=job.id,
            payload={"error_code": lost.code.value, "suggested_fix": lost.fix},
        )
        return None
    following = ledger.next_attempt(job, retry)
    ledger.queue(session, following, JobReason.RETRY)
    return following.id
