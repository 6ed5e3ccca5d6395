"""Life of a job: its states and the moves between them, the reasons of the ledger, when a lost job is tried again."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from core.errors import ErrorCode, GantryError, Kind
from fleet.closed_sets import JobStatus

TRANSITIONS: Final[dict[JobStatus, frozenset[JobStatus]]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.CANCELED}),
    JobStatus.RUNNING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.TIMEOUT: frozenset(),
    JobStatus.CANCELED: frozenset(),
}
TERMINAL: Final = frozenset(status for status, following in TRANSITIONS.items() if not following)
ACTIVE: Final = frozenset(TRANSITIONS) - TERMINAL


class JobReason(StrEnum):
    """Why a job changed state: `reason_code` of its ledger rows."""

    REQUESTED = "REQUESTED"  # enqueued because someone asked
    PLANNED = "PLANNED"  # enqueued by the planner
    RETRY = "RETRY"  # enqueued in place of an attempt that was lost
    CLAIMED = "CLAIMED"
    FINISHED = "FINISHED"
    HEARTBEAT_TIMEOUT = "HEARTBEAT_TIMEOUT"
    JOB_TIMEOUT = "JOB_TIMEOUT"
    RUN_FAILED = "RUN_FAILED"
    STRATEGY_ERROR = "STRATEGY_ERROR"
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    DATA_QUALITY_FAILED = "DATA_QUALITY_FAILED"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    PROVIDER_RATE_LIMITED = "PROVIDER_RATE_LIMITED"
    PROVIDER_BAD_RESPONSE = "PROVIDER_BAD_RESPONSE"
    PROVIDER_ENTITLEMENT = "PROVIDER_ENTITLEMENT"
    INTEGRATION_VERIFY_FAILED = "INTEGRATION_VERIFY_FAILED"
    ARCHIVED = "ARCHIVED"
    METRICS_RESET = "METRICS_RESET"
    BULK_REVERT = "BULK_REVERT"
    LEFT_LAB = "LEFT_LAB"
    CANCELED_BY_PERSON = "CANCELED_BY_PERSON"


# What another attempt may cure. The rest stays wrong until the version, the bars or the bot change.
RETRYABLE: Final = frozenset(
    {
        JobReason.HEARTBEAT_TIMEOUT,
        JobReason.JOB_TIMEOUT,
        JobReason.RUN_FAILED,
        JobReason.PROVIDER_TIMEOUT,
        JobReason.PROVIDER_RATE_LIMITED,
        JobReason.PROVIDER_BAD_RESPONSE,
    }
)


@dataclass(frozen=True, slots=True)
class Retry:
    """The row to enqueue after a lost attempt: same root, next attempt, QUEUED."""

    root_job_id: UUID
    attempt: int


def is_legal(current: JobStatus, following: JobStatus) -> bool:
    """Whether a job may go from one state to the other; staying is not a move."""
    return following in TRANSITIONS[current]


def check_transition(current: JobStatus, following: JobStatus) -> None:
    """Let a legal move pass.

    Raises:
        GantryError: CONFLICT for an illegal one, above all for any move out of a terminal state.

    """
    if is_legal(current, following):
        return
    allowed = ", ".join(sorted(TRANSITIONS[current])) or "nowhere: it is final"
    raise GantryError(
        ErrorCode.CONFLICT,
        f"A job can't go from {current} to {following}.",
        fix=f"From {current} it goes to {allowed}."
        if TRANSITIONS[current]
        else "Enqueue a new job: this one is final.",
        kind=Kind.CONFLICT,
        facts={"from": current.value, "to": following.value},
    )


def reason_of(code: ErrorCode) -> JobReason:
    """Return the ledger's reason for a failure's code; codes that aren't a job's own are RUN_FAILED."""
    return JobReason(code.value) if code.value in JobReason.__members__ else JobReason.RUN_FAILED


def retry_of(
    status: JobStatus, reason: JobReason, *, root_job_id: UUID, attempt: int, max_attempts: int
) -> Retry | None:
    """Return the next attempt of a job that just ended so, or None when there is none.

    Only FAILED and TIMEOUT are tried again, only for a reason in `RETRYABLE`, and only while attempt < max_attempts.
    """
    lost = status in {JobStatus.FAILED, JobStatus.TIMEOUT} and reason in RETRYABLE
    return Retry(root_job_id, attempt + 1) if lost and attempt < max_attempts else None
