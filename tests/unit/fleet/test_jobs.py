"""Job states: every pair of them, every reason, every attempt."""

from itertools import product
from uuid import UUID

import pytest

from core.errors import ErrorCode, GantryError, Kind
from fleet.closed_sets import JobStatus
from fleet.jobs import (
    ACTIVE,
    RETRYABLE,
    TERMINAL,
    TRANSITIONS,
    JobReason,
    Retry,
    check_transition,
    is_legal,
    reason_of,
    retry_of,
)

ROOT = UUID(int=7)
LEGAL = {
    ("QUEUED", "RUNNING"),
    ("QUEUED", "CANCELED"),
    ("RUNNING", "COMPLETED"),
    ("RUNNING", "FAILED"),
    ("RUNNING", "TIMEOUT"),
    ("RUNNING", "CANCELED"),
}


@pytest.mark.parametrize(("current", "following"), list(product(JobStatus, JobStatus)))
def test_a_job_moves_only_as_the_contract_says(current: JobStatus, following: JobStatus) -> None:
    assert is_legal(current, following) is ((current.value, following.value) in LEGAL)
    if is_legal(current, following):
        check_transition(current, following)
        return
    with pytest.raises(GantryError, match=f"{current} to {following}") as caught:
        check_transition(current, following)
    assert (caught.value.code, caught.value.kind) == (ErrorCode.CONFLICT, Kind.CONFLICT)
    assert caught.value.fix


def test_every_state_is_known_and_either_active_or_final() -> None:
    assert set(TRANSITIONS) == set(JobStatus)
    assert {JobStatus.QUEUED, JobStatus.RUNNING} == ACTIVE
    assert set(JobStatus) - ACTIVE == TERMINAL


@pytest.mark.parametrize(("status", "reason", "attempt"), list(product(JobStatus, JobReason, (1, 2, 3, 4))))
def test_only_a_lost_attempt_with_attempts_left_is_tried_again(
    status: JobStatus, reason: JobReason, attempt: int
) -> None:
    found = retry_of(status, reason, root_job_id=ROOT, attempt=attempt, max_attempts=3)
    passing = {"HEARTBEAT_TIMEOUT", "JOB_TIMEOUT", "RUN_FAILED"}
    passing |= {"PROVIDER_TIMEOUT", "PROVIDER_RATE_LIMITED", "PROVIDER_BAD_RESPONSE"}
    lost = status in {"FAILED", "TIMEOUT"} and reason in passing
    assert found == (Retry(ROOT, attempt + 1) if lost and attempt < 3 else None)


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_code_has_a_reason_and_only_passing_ones_are_retried(code: ErrorCode) -> None:
    reason = reason_of(code)
    assert reason.value == code.value or reason is JobReason.RUN_FAILED
    permanent = {"STRATEGY_ERROR", "DATA_QUALITY_FAILED", "DATA_UNAVAILABLE", "VALIDATION_FAILED"}
    permanent |= {"PROVIDER_ENTITLEMENT", "INTEGRATION_VERIFY_FAILED"}
    assert (reason in RETRYABLE) is (code.value not in permanent)
