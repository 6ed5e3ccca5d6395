"""What became of jobs: the newest of the fleet, and one with its ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import invalid, not_found
from fleet.closed_sets import JobStatus
from sql.queries.jobs import history as queries
from sql.tables.jobs import BotJob

MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class JobLine:
    """One attempt at one piece of work, with its bot's name."""

    id: UUID
    root_job_id: UUID
    bot_id: UUID
    bot: str
    job_type: str
    kind: str | None
    status: str
    attempt: int
    max_attempts: int
    iteration: int
    progress: float | None
    session_id: UUID | None
    run_id: str | None
    error_code: str | None
    error_message: str | None
    suggested_fix: str | None
    actor: str
    trace_id: str
    created_at: datetime
    not_before: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    last_heartbeat_at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One transition of a job; from_status is None for the enqueue."""

    from_status: str | None
    to_status: str
    reason_code: str
    created_at: datetime
    trace_id: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobHistory:
    """A job and every transition it made, oldest first."""

    job: JobLine
    ledger: tuple[LedgerLine, ...]


def newest_jobs(session: Session, *, bot_id: UUID | None, status: str | None, limit: int) -> Sequence[JobLine]:
    """Return the newest jobs, of one bot and in one status only where asked.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown status, or a limit that isn't 1 to 1,000.

    """
    if status is not None and status not in set(JobStatus):
        raise invalid(f"Unknown status {status!r}.", fix=f"Use one of {', '.join(JobStatus)}.", field="status")
    if not 1 <= limit <= MOST:
        raise invalid(f"limit must be from 1 to {MOST}.", fix="Correct it.", field="limit")
    return [_line(*row) for row in queries.newest(session, bot_id=bot_id, status=status, limit=limit)]


def history_of(session: Session, job_id: UUID) -> JobHistory:
    """Return one job with its ledger.

    Raises:
        GantryError: NOT_FOUND.

    """
    row = queries.one(session, job_id)
    if row is None:
        raise not_found("job", job_id, fix="List them: gantry jobs list.")
    ledger = tuple(
        LedgerLine(
            event.from_status,
            event.to_status,
            event.reason_code,
            event.created_at,
            event.trace_id,
            event.event_metadata,
        )
        for event in queries.ledger_of(session, job_id)
    )
    return JobHistory(_line(*row), ledger)


def _line(job: BotJob, bot: str) -> JobLine:
    own = {name: getattr(job, name) for name in JobLine.__dataclass_fields__ if name != "bot"}
    return JobLine(bot=bot, **own)
