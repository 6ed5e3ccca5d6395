"""Bots as the planner sees them, layered by how far they came: without a baseline, with a fresh one, improved."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fleet.closed_sets import BacktestKind, JobStatus, JobType, Stage
from fleet.jobs import JobReason
from fleet.planner.types import ActiveWork, BarsState, Baseline, BotSnapshot, EndedWork, LastImprovement

NOW = datetime(2024, 1, 10, 20, 0, tzinfo=UTC)  # 14:00 in Chicago: the trading day is January 10
LAST_BAR = datetime(2024, 1, 10, 19, 59, tzinfo=UTC)
LAB_SINCE = NOW - timedelta(days=2)
VERSION = UUID(int=77)
ROOT = UUID(int=99)
FIVE, TEN, THIRTY = (timedelta(minutes=count) for count in (5, 10, 30))
BARS = "bars-1.anybody"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def a_bot(number: int = 1, **changes: Any) -> BotSnapshot:
    """A bot in LAB that was never graded."""
    facts: dict[str, Any] = {
        "id": UUID(int=number),
        "symbol": "ES",
        "stage": Stage.LAB,
        "lab_since": LAB_SINCE,
        "asked_at": LAB_SINCE,
        "version_id": VERSION,
        "epoch": 3,
        "bars": BarsState.AVAILABLE,
        "bars_generation": BARS,
        "bars_last_at": LAST_BAR,
        "bars_sessions": 60,
    }
    return BotSnapshot(**facts | changes)


def a_baseline(age: timedelta = THIRTY, **changes: Any) -> Baseline:
    facts: dict[str, Any] = {
        "session_id": UUID(int=5),
        "completed_at": NOW - age,
        "total_trades": 100,
        "bars_last_at": LAST_BAR,
        "bars_generation": BARS,
    }
    return Baseline(**facts | changes)


def graded(number: int = 1, **changes: Any) -> BotSnapshot:
    """A bot with a fresh baseline of 100 trades."""
    return a_bot(number, **{"baseline": a_baseline()} | changes)


def improved(number: int = 1, ago: timedelta = TEN, rounds: int = 0, **changes: Any) -> BotSnapshot:
    """A graded bot whose last improvement ended so long ago."""
    return graded(number, **{"improvement": LastImprovement(NOW - ago, rounds)} | changes)


def queued(job_type: JobType = JobType.BACKTEST, *, ago: timedelta = FIVE, **changes: Any) -> ActiveWork:
    return ActiveWork(job_type, JobStatus.QUEUED, NOW - ago, **changes)


def running(job_type: JobType = JobType.BACKTEST) -> ActiveWork:
    return ActiveWork(job_type, JobStatus.RUNNING, NOW - FIVE)


def lost(reason: JobReason | None = JobReason.HEARTBEAT_TIMEOUT, **changes: Any) -> EndedWork:
    """A first backtest that was lost ten minutes ago."""
    facts: dict[str, Any] = {
        "root_job_id": ROOT,
        "job_type": JobType.BACKTEST,
        "kind": BacktestKind.BASELINE,
        "status": JobStatus.FAILED,
        "reason": reason,
        "attempt": 1,
        "max_attempts": 3,
        "ended_at": NOW - TEN,
        "version_id": VERSION,
        "epoch": 3,
        "bars_generation": BARS,
    }
    return EndedWork(**facts | changes)
