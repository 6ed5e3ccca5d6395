"""Jobs and activity."""

from typing import Any
from uuid import UUID

from pydantic import Field

from fleet.closed_sets import ActivityEvent, BacktestKind, JobStatus, JobType
from shapes.base import Instant, Model


class JobBody(Model):
    """One attempt at one piece of work for one bot."""

    id: UUID
    root_job_id: UUID
    bot_id: UUID
    job_type: JobType
    kind: BacktestKind | None
    status: JobStatus
    attempt: int
    max_attempts: int
    iteration: int
    session_id: UUID | None
    run_id: str | None
    error_code: str | None
    error_message: str | None
    suggested_fix: str | None
    actor: str
    trace_id: str
    created_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    last_heartbeat_at: Instant | None


class FleetJobBody(JobBody):
    """A job among those of all bots. progress: the share that is done, 0-1. not_before: when a retry is due."""

    bot: str = Field(description="The bot's name.")
    progress: float | None
    not_before: Instant | None


class LedgerLineBody(Model):
    """One transition of a job; from_status is null for its beginning."""

    from_status: JobStatus | None
    to_status: JobStatus
    reason_code: str
    created_at: Instant
    trace_id: str
    metadata: dict[str, Any]


class JobHistoryBody(Model):
    """A job and every transition it made, oldest first."""

    job: FleetJobBody
    ledger: list[LedgerLineBody]


class ActivityBody(Model):
    """One line of the activity feed."""

    id: UUID
    event_type: ActivityEvent
    bot_id: UUID | None
    job_id: UUID | None
    actor: str
    message: str
    payload: dict[str, Any]
    trace_id: str
    created_at: Instant
