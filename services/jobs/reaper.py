"""Rescue: jobs whose worker was lost or hangs are ended, and their next attempts queued. No worker is asked."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import JobStatus, SystemEvent
from fleet.job_feed import event_of, label_of_type
from fleet.jobs import JobReason, check_transition, retry_of
from services import events
from services.jobs import ledger
from services.jobs.enqueue import enqueue_retry
from services.jobs.terms import MAX_JOB_MINUTES
from sql.engine import Transactions
from sql.queries import clock as clock_queries
from sql.queries.jobs import finish as finish_queries
from sql.queries.jobs import lease as lease_queries
from sql.queries.jobs.finish import Ending
from sql.tables.jobs import BotJob

REAP_LIMIT: Final = 500
CLOCKS_DIFFER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ReapReport:
    """What a rescue did: jobs that ended, and the retries queued in their place; or leases re-armed instead."""

    timed_out: tuple[UUID, ...] = ()
    retried: tuple[UUID, ...] = ()
    rearmed: int = 0


class Reaper:
    """Reaps tick by tick, unless the database's clock jumped since the last one.

    After a jump (or a suspended machine) every lease may look expired while its worker lives: leases are armed anew
    once, and a worker that is really gone is found a lease later.
    """

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._seen: tuple[datetime, float] | None = None

    def tick(self, tx: Transactions, *, actor: str, max_job_minutes: int = MAX_JOB_MINUTES) -> ReapReport:
        """Reap, or arm leases anew."""
        with tx() as session:
            here, there = time.monotonic(), clock_queries.database_time(session)
        before = self._seen
        drift = 0.0 if before is None else (there - before[0]).total_seconds() - (here - before[1])
        report = self._rearm(tx, drift, actor) if abs(drift) > CLOCKS_DIFFER_S else None
        self._seen = (there, here)  # only now: a re-arming that failed is due again
        if report is not None:
            return report
        return reap_lost_leases(tx, actor=actor, max_job_minutes=max_job_minutes)

    def _rearm(self, tx: Transactions, drift: float, actor: str) -> ReapReport:
        with tx() as session:
            count = lease_queries.rearm(session, lease_s=self._lease_s)
            events.note(
                session,
                SystemEvent.LEASES_REARMED,
                f"The database's clock jumped by {drift:.0f} s: {count} leases were renewed, none was reaped.",
                actor=actor,
                payload={"drift_seconds": drift, "leases": count},
            )
        return ReapReport(rearmed=count)


def reap_lost_leases(tx: Transactions, *, actor: str, max_job_minutes: int = MAX_JOB_MINUTES) -> ReapReport:
    """Turn RUNNING jobs whose lease expired, or that run for too long, into TIMEOUT and queue their retries: a flow.

    By the database's clock. A job that hangs while its heartbeat beats is found by its running time.
    """
    with tx() as session:
        lost = lease_queries.lock_expired(session, limit=REAP_LIMIT)
        late = lease_queries.lock_overdue(session, minutes=max_job_minutes, limit=REAP_LIMIT)
        ended = [(job, _lease_lost()) for job in lost]
        ended += [(job, _too_long(max_job_minutes)) for job in late if job not in lost]
        return _end_all(session, ended, JobStatus.TIMEOUT, actor)


def fail_jobs_of_dead_runs(tx: Transactions, run_ids: Sequence[str], *, actor: str) -> ReapReport:
    """Turn RUNNING jobs held by runs that Dagster says are over into FAILED, and queue their retries: a flow."""
    if not run_ids:
        return ReapReport()
    with tx() as session:
        jobs = lease_queries.lock_running_of(session, run_ids, limit=REAP_LIMIT)
        return _end_all(session, [(job, _run_ended()) for job in jobs], JobStatus.FAILED, actor)


def holders(tx: Transactions) -> Sequence[str]:
    """Return the runs that hold RUNNING jobs."""
    with tx() as session:
        return lease_queries.running_run_ids(session)


def _end_all(
    session: Session, ended: Sequence[tuple[BotJob, GantryError]], status: JobStatus, actor: str
) -> ReapReport:
    retried = [retry for job, error in ended if (retry := _end(session, job, status, error)) is not None]
    if ended:
        events.note(
            session,
            SystemEvent.LEASES_REAPED,
            f"{len(ended)} jobs lost their worker; {len(retried)} are queued again.",
            actor=actor,
            payload={"timed_out": [str(job.id) for job, _ in ended], "retried": [str(i) for i in retried]},
        )
    return ReapReport(tuple(job.id for job, _ in ended), tuple(retried))


def _end(session: Session, job: BotJob, status: JobStatus, error: GantryError) -> UUID | None:
    """End one job that is locked and RUNNING; return its retry's id, None when no attempt is left."""
    check_transition(JobStatus(job.status), status)
    reason, token = JobReason(error.code.value), job.lease_token
    ending = Ending(status, None, error.code.value, error.message, error.fix)
    if token is None or finish_queries.finish(session, job.id, token, ending) is None:
        return None  # locked by us and RUNNING, so this can't be; a ledger row without a change would be worse
    ledger.record(session, job.id, JobStatus.RUNNING, status, reason, {"run_id": job.run_id}, trace_id=job.trace_id)
    retry = retry_of(status, reason, root_job_id=job.root_job_id, attempt=job.attempt, max_attempts=job.max_attempts)
    if retry is None:
        events.publish(
            session,
            event_of(job.job_type, "FAILED"),
            f"{label_of_type(job.job_type)} failed at attempt {job.attempt}, the last: {error.message}",
            actor=job.actor,
            bot_id=job.bot_id,
            job_id=job.id,
            payload={"error_code": error.code.value, "suggested_fix": error.fix},
        )
        return None
    return enqueue_retry(session, job, retry)


def _lease_lost() -> GantryError:
    return GantryError(
        ErrorCode.HEARTBEAT_TIMEOUT,
        "The worker stopped renewing its lease.",
        fix="Nothing to do while attempts are left; after the last, read the run's log and request a backtest again.",
    )


def _too_long(minutes: int) -> GantryError:
    return GantryError(
        ErrorCode.JOB_TIMEOUT,
        f"The job ran for over {minutes} minutes.",
        fix="Grade the bot on fewer months, or raise MAX_JOB_MINUTES; then request a backtest again.",
    )


def _run_ended() -> GantryError:
    return GantryError(
        ErrorCode.RUN_FAILED,
        "The run that held the job failed or was canceled.",
        fix="Nothing to do while attempts are left; after the last, read the run's log in Dagster's UI.",
    )
