"""Jobs in each of their states, reached by the legal way, each transition with its ledger row."""

from typing import Any

from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.closed_sets import BacktestKind, JobStatus, JobType, TradeSource
from sql.engine import Transactions
from sql.queries.jobs import claim as claim_queries
from sql.queries.jobs import finish as finish_queries
from sql.queries.jobs.finish import Ending
from sql.tables.bots import Bot, BotBoundary
from sql.tables.jobs import BotJob, JobRunEvent
from tests.factories.bots import TRACE, make_bot

LEASE_S = 30.0


def make_job(session: Session, bot: Bot, status: JobStatus = JobStatus.QUEUED, **changes: Any) -> BotJob:
    """Store a BASELINE job of the bot and bring it to that state."""
    job_id = new_id()
    values: dict[str, Any] = {"job_type": JobType.BACKTEST, "kind": BacktestKind.BASELINE, "actor": "test"}
    job = BotJob(id=job_id, bot_id=bot.id, **({"root_job_id": job_id, "trace_id": TRACE} | values | changes))
    session.add(job)
    session.flush()
    _record(session, job, None, JobStatus.QUEUED)
    if status is JobStatus.CANCELED:
        job.status, job.completed_at = status, job.created_at
        session.flush()
        _record(session, job, JobStatus.QUEUED, status)
    elif status is not JobStatus.QUEUED:
        run_job(session, job)
        if status is not JobStatus.RUNNING:
            end_job(session, job, Ending(status, error_code=None if status is JobStatus.COMPLETED else "RUN_FAILED"))
    session.refresh(job)
    return job


def run_job(session: Session, job: BotJob, *, lease_s: float = LEASE_S) -> BotJob:
    """Claim a queued job for its bot's present version and epoch; a negative lease is one that has expired."""
    bot = session.get_one(Bot, job.bot_id)
    epoch = session.get_one(BotBoundary, (bot.id, TradeSource.BACKTEST)).epoch
    assert bot.current_version_id is not None
    taken = [claim_queries.Taken(job.id, new_id(), epoch, bot.current_version_id)]
    claim_queries.take(session, taken, lease_s=lease_s, run_id="run", worker_id=None)
    _record(session, job, JobStatus.QUEUED, JobStatus.RUNNING)
    session.refresh(job)
    return job


def end_job(session: Session, job: BotJob, ending: Ending) -> BotJob:
    """End a running job."""
    assert job.lease_token is not None
    assert finish_queries.finish(session, job.id, job.lease_token, ending) is not None
    _record(session, job, JobStatus.RUNNING, ending.status)
    session.refresh(job)
    return job


def _record(session: Session, job: BotJob, old: JobStatus | None, new: JobStatus) -> None:
    session.add(JobRunEvent(job_id=job.id, from_status=old, to_status=new, reason_code="TEST", trace_id=TRACE))
    session.flush()


def new_job(tx: Transactions, status: JobStatus = JobStatus.QUEUED) -> BotJob:
    """Store a bot of its own with a job in that state."""
    with tx() as session:
        return make_job(session, make_bot(session), status)
