"""Proof of what ran."""

from uuid import UUID

from pydantic import Field

from fleet.closed_sets import JobStatus, JobType
from shapes.base import Instant, Model


class StatusCounts(Model):
    """Jobs by status; zero counts are present."""

    QUEUED: int
    RUNNING: int
    COMPLETED: int
    FAILED: int
    TIMEOUT: int
    CANCELED: int


class TypeCounts(Model):
    """Jobs by type and status."""

    BACKTEST: StatusCounts
    IMPROVE: StatusCounts
    EVOLVE: StatusCounts


class StuckJobBody(Model):
    """A job that should have moved on: its lease is over, it runs too long, or it is due and waits too long."""

    job_id: UUID
    bot_id: UUID
    job_type: JobType
    status: JobStatus
    age_seconds: float = Field(description="Since its start, or since it was due while it waits.")
    last_heartbeat_at: Instant | None


class LastJobBody(Model):
    """A bot's newest job."""

    bot_id: UUID
    job_id: UUID
    job_type: JobType
    status: JobStatus
    attempt: int
    iteration: int
    created_at: Instant
