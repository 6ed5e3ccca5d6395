"""Starts runs in the code server's subprocesses, and notices when such a process is gone.

Dagster's own launcher has no health check: with worker and code server both killed, a run stays STARTED until its
maximum runtime. This one looks for the process whose pid the worker logged as it started.
"""

import os
from pathlib import Path
from typing import Final

from dagster import DagsterEventType, DagsterRun, DefaultRunLauncher

from orchestration.dagster_private import CheckRunHealthResult, WorkerStatus, instance_of

STARTED: Final = "Started process for run"
PROC: Final = Path("/proc")


class HealthCheckedRunLauncher(DefaultRunLauncher):
    """DefaultRunLauncher that answers whether a run's process lives. Daemon and workers share one machine."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """The monitoring daemon asks at each poll."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return whether the process that logged its start for this run is alive."""
        pid, started_at = self._worker(run.run_id)
        if pid is None:
            return CheckRunHealthResult(WorkerStatus.UNKNOWN, "The run's process has not logged its pid.")
        if is_same_process(pid, started_before=started_at):
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=str(pid))
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"The run's process {pid} is gone.", run_worker_id=str(pid))

    def _worker(self, run_id: str) -> tuple[int | None, float]:
        """Return the pid that the worker logged, and when it logged it."""
        records = instance_of(self).get_records_for_run(run_id, of_type=DagsterEventType.ENGINE_EVENT).records
        for record in reversed(records):
            event = record.event_log_entry.dagster_event
            if event is None or not (event.message or "").startswith(STARTED):
                continue
            pid = event.engine_event_data.metadata.get("pid")
            if pid is not None:
                return int(str(pid.value)), record.event_log_entry.timestamp
        return None, 0.0


def is_same_process(pid: int, *, started_before: float) -> bool:
    """Whether a live process has this pid and is as old as it must be: a pid may have been given away since.

    started_before: seconds since 1970 at which the process is known to have run already.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # alive, and somebody else's
        return True
    started = _started_at_of(pid)
    return started is None or started <= started_before + 1.0


def _started_at_of(pid: int) -> float | None:
    """Return when a process started, seconds since 1970; infinity for a zombie; None where /proc doesn't tell."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        booted = next(line for line in (PROC / "stat").read_text().splitlines() if line.startswith("btime "))
    except (OSError, StopIteration):
        return None
    if fields[0] == "Z":
        return float("inf")
    return int(booted.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
