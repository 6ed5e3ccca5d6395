"""botNow: the precedence of what a bot is doing, over every combination."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from uuid import UUID

import pytest

from fleet.bot_now import Alert, AlertLevel, BotNow, JobSnapshot, RunnerState, bot_now
from fleet.closed_sets import BotState, JobStatus, JobType

NOW = datetime(2024, 1, 2, 12, tzinfo=UTC)
NAMES = {JobType.BACKTEST: "BACKTEST", JobType.IMPROVE: "IMPROVING", JobType.EVOLVE: "EVOLVING"}
BLOCKED = Alert(AlertLevel.BLOCKED, "RETRIES_EXHAUSTED", "Three attempts were lost.")
WARNED = Alert(AlertLevel.WARN, "SIMULATED_DATA", "Graded on simulated bars.")


def job(
    status: JobStatus, kind: JobType = JobType.BACKTEST, *, number: int = 1, age_s: int = 60, ran_s: int | None = None
) -> JobSnapshot:
    started = None if ran_s is None else NOW - timedelta(seconds=ran_s)
    return JobSnapshot(UUID(int=number), kind, status, 2, 5, NOW - timedelta(seconds=age_s), started)


def present(
    *jobs: JobSnapshot,
    runner: RunnerState | None = None,
    alerts: tuple[Alert, ...] = (),
    age: timedelta = timedelta(1),
    has_history: bool = False,
) -> BotNow:
    return bot_now(jobs, runner, alerts, NOW, created_at=NOW - age, has_history=has_history)


@pytest.mark.parametrize(
    ("kind", "status", "runner", "alerts"),
    list(product(JobType, [None, *JobStatus], [None, *RunnerState], [(), (WARNED,), (BLOCKED,), (WARNED, BLOCKED)])),
)
def test_job_goes_before_runner_before_blocked_before_idle(
    kind: JobType, status: JobStatus | None, runner: RunnerState | None, alerts: tuple[Alert, ...]
) -> None:
    found = present(*([job(status, kind)] if status else []), runner=runner, alerts=alerts)
    if status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        expected = f"{NAMES[kind]}_{status}"
    elif runner:
        expected = f"RUNNER_{runner}"
    else:
        expected = "BLOCKED" if BLOCKED in alerts else "IDLE"
    assert found.state == expected
    assert (found.active_job is not None) is (status in {JobStatus.QUEUED, JobStatus.RUNNING})
    assert found.alerts == alerts


@pytest.mark.parametrize("pair", list(combinations(product(JobType, (JobStatus.QUEUED, JobStatus.RUNNING)), 2)))
def test_a_running_job_is_shown_before_a_queued_one_in_any_order(
    pair: tuple[tuple[JobType, JobStatus], tuple[JobType, JobStatus]],
) -> None:
    jobs = [job(status, kind, number=number) for number, (kind, status) in enumerate(pair)]
    one, other = present(*jobs), present(*reversed(jobs))
    assert one == other
    assert one.active_job
    statuses = {status for _, status in pair}
    assert one.active_job.status is (JobStatus.RUNNING if JobStatus.RUNNING in statuses else JobStatus.QUEUED)


def test_every_state_can_be_reached() -> None:
    jobs = [present(job(status, kind)).state for kind in JobType for status in (JobStatus.QUEUED, JobStatus.RUNNING)]
    runners = [present(runner=runner).state for runner in RunnerState]
    assert {*jobs, *runners, present(alerts=(BLOCKED,)).state, present().state} == set(BotState)


def test_the_active_job_carries_attempt_iteration_and_times() -> None:
    active = present(job(JobStatus.RUNNING, age_s=90, ran_s=30)).active_job
    assert active
    assert (active.attempt, active.iteration, active.elapsed_seconds) == (2, 5, 30)
    assert active.created_at == NOW - timedelta(seconds=90)
    assert active.started_at == NOW - timedelta(seconds=30)


@pytest.mark.parametrize(("age_s", "elapsed"), [(75, 75), (0, 0), (-3, 0)])
def test_a_queued_job_counts_from_its_enqueue_and_never_below_zero(age_s: int, elapsed: int) -> None:
    active = present(job(JobStatus.QUEUED, age_s=age_s)).active_job
    assert active
    assert active.elapsed_seconds == elapsed


@pytest.mark.parametrize(
    ("age_s", "has_history", "jobs", "runner"),
    list(product((0, 599, 600, 86_400), (False, True), ((), (job(JobStatus.COMPLETED),)), (None, RunnerState.STOPPED))),
)
def test_a_bot_is_new_for_ten_minutes_unless_anything_ever_happened(
    age_s: int, has_history: bool, jobs: tuple[JobSnapshot, ...], runner: RunnerState | None
) -> None:
    found = present(*jobs, runner=runner, age=timedelta(seconds=age_s), has_history=has_history)
    assert found.is_new is (age_s < 600 and not has_history and not jobs and runner is None)
