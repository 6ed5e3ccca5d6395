"""What a bot is doing at this moment (`botNow`): one state, the active job, whether it is new, its alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from fleet.closed_sets import BotState, JobStatus, JobType
from fleet.jobs import ACTIVE

NEW_FOR: Final = timedelta(minutes=10)


class RunnerState(StrEnum):
    """State of a bot's runner."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class AlertLevel(StrEnum):
    """How bad it is; what is well has no alert."""

    WARN = "WARN"
    DEGRADED = "DEGRADED"
    BLOCKED = "BLOCKED"


class AlertCode(StrEnum):
    """Codes of alerts that aren't error codes."""

    GUARD_FAILED = "GUARD_FAILED"
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"
    SIMULATED_DATA = "SIMULATED_DATA"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person should know of a bot: how bad, a stable code, a sentence."""

    level: AlertLevel
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job as it stands. Times are aware, UTC; started_at is None until it is claimed."""

    id: UUID
    job_type: JobType
    status: JobStatus
    attempt: int
    iteration: int
    created_at: datetime
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class ActiveJob:
    """The job a bot is busy with; elapsed_seconds since its start, or since it was queued while it waits."""

    id: UUID
    type: JobType
    status: JobStatus
    attempt: int
    iteration: int
    created_at: datetime
    started_at: datetime | None
    elapsed_seconds: int


@dataclass(frozen=True, slots=True)
class BotNow:
    """One bot's present: the only source of its badge."""

    state: BotState
    active_job: ActiveJob | None
    is_new: bool
    alerts: tuple[Alert, ...]


STATE_OF_JOB: Final[dict[tuple[JobType, JobStatus], BotState]] = {
    (JobType.BACKTEST, JobStatus.QUEUED): BotState.BACKTEST_QUEUED,
    (JobType.BACKTEST, JobStatus.RUNNING): BotState.BACKTEST_RUNNING,
    (JobType.IMPROVE, JobStatus.QUEUED): BotState.IMPROVING_QUEUED,
    (JobType.IMPROVE, JobStatus.RUNNING): BotState.IMPROVING_RUNNING,
    (JobType.EVOLVE, JobStatus.QUEUED): BotState.EVOLVING_QUEUED,
    (JobType.EVOLVE, JobStatus.RUNNING): BotState.EVOLVING_RUNNING,
}
STATE_OF_RUNNER: Final[dict[RunnerState, BotState]] = {
    RunnerState.STARTING: BotState.RUNNER_STARTING,
    RunnerState.RUNNING: BotState.RUNNER_RUNNING,
    RunnerState.STOPPED: BotState.RUNNER_STOPPED,
}


def bot_now(
    jobs: Sequence[JobSnapshot],
    runner: RunnerState | None,
    blockers: Sequence[Alert],
    now: datetime,
    *,
    created_at: datetime,
    has_history: bool,
) -> BotNow:
    """Return a bot's present by precedence: running job, queued job, runner, blocked, idle.

    jobs: any of the bot's; terminal ones don't count for the state. runner: None for a bot without one.
    blockers: the bot's alerts, of every level; one of level BLOCKED blocks an otherwise idle bot.
    has_history: whether the bot ever had a job, a session or a runner. It is new while it had none and is younger
    than ten minutes.
    """
    job = _active(jobs)
    fresh = not (has_history or jobs or runner) and now - created_at < NEW_FOR
    return BotNow(_state(job, runner, blockers), _shown(job, now) if job else None, fresh, tuple(blockers))


def _active(jobs: Sequence[JobSnapshot]) -> JobSnapshot | None:
    # The database allows one active job a bot; should two be seen, the running one, then the older, is shown.
    active = [job for job in jobs if job.status in ACTIVE]
    return min(active, key=lambda job: (job.status is not JobStatus.RUNNING, job.created_at, job.id), default=None)


def _state(job: JobSnapshot | None, runner: RunnerState | None, blockers: Sequence[Alert]) -> BotState:
    if job is not None:
        return STATE_OF_JOB[job.job_type, job.status]
    if runner is not None:
        return STATE_OF_RUNNER[runner]
    blocked = any(alert.level is AlertLevel.BLOCKED for alert in blockers)
    return BotState.BLOCKED if blocked else BotState.IDLE


def _shown(job: JobSnapshot, now: datetime) -> ActiveJob:
    since = job.started_at or job.created_at
    # The web server's clock may be behind the database's: never below zero.
    elapsed = max(0, int((now - since).total_seconds()))
    return ActiveJob(
        job.id, job.job_type, job.status, job.attempt, job.iteration, job.created_at, job.started_at, elapsed
    )
