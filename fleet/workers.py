"""Worker runs: how many should live, and when one counts as gone."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from fleet.closed_sets import JobType

NEVER_STARTED_S: Final = 120.0
SILENT_S: Final = 60.0  # twice a lease: its jobs were rescued long before


class RunState(StrEnum):
    """What Dagster says of a worker's run."""

    WAITING = "WAITING"  # queued or starting
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 300.0
OVER: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED})


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that has not ended.

    silent_s: since its last heartbeat, or since it was requested. job_type: IMPROVE for both kinds of improvement.
    """

    id: UUID
    silent_s: float
    began: bool
    run: RunState | None
    job_type: JobType = JobType.BACKTEST


def ended(worker: Worker) -> str | None:
    """Return why a worker counts as gone; None while it may live."""
    if worker.run in OVER:
        return f"RUN_{worker.run}"
    if not worker.began:
        return "NEVER_STARTED" if worker.silent_s > NEVER_STARTED_S else None
    return "SILENT" if worker.silent_s > SILENT_S else None


def wanted(*, due: int, free: int, chunk: int, most: int) -> int:
    """Return how many workers should live: enough chunks for the jobs that are due and may run, at most `most`."""
    ready = min(due, free)
    return min(most, -(-ready // chunk))


def pause_after(failures: int) -> float:
    """Return how many seconds to wait after so many workers in a row came to nothing: something is wrong with them.

    The first one is replaced at once: that is what a killed process looks like.
    """
    return 0.0 if failures < 2 else min(FIRST_PAUSE_S * float(2 ** min(failures - 2, 10)), LONGEST_PAUSE_S)
