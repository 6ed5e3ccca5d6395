"""Jobs: enqueue, claim, end, and rescue those whose worker was lost."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from fleet.closed_sets import BacktestKind
from sql.engine import Transactions


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


def enqueue(session: Session, bot_id: UUID, *, kind: BacktestKind, actor: str, max_attempts: int = 3) -> UUID:
    """Queue a backtest of a bot; return the job's id (a unit: the caller commits).

    Raises:
        GantryError: NOT_FOUND; CONFLICT when the bot has an active job (facts: job_id, status).

    """
    raise NotImplementedError


def queued(session: Session, *, limit: int = 500) -> tuple[QueuedJob, ...]:
    """Return the oldest QUEUED jobs, oldest first."""
    raise NotImplementedError


def reap_lost_leases(tx: Transactions, *, actor: str) -> ReapReport:
    """Turn RUNNING jobs whose lease expired (by the database's clock) into TIMEOUT and queue their retries: a flow."""
    raise NotImplementedError
