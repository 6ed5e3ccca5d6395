"""A run whose process is gone is noticed, even if other processes died with it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from dagster import DagsterInstance, DagsterRun, job, op

from orchestration.dagster_private import EngineEventData, WorkerStatus
from orchestration.launcher import HealthCheckedRunLauncher, is_same_process


@op
def nothing() -> None:
    return


@job
def empty() -> None:
    nothing()


@pytest.fixture
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def started_run(instance: DagsterInstance, pid: int | None) -> DagsterRun:
    run = instance.create_run_for_job(empty)
    if pid is not None:
        instance.report_engine_event(f"Started process for run (pid: {pid}).", run, EngineEventData.in_process(pid))
    return run


def launcher_of(instance: DagsterInstance) -> HealthCheckedRunLauncher:
    launcher = instance.run_launcher
    assert isinstance(launcher, HealthCheckedRunLauncher)
    assert launcher.supports_check_run_worker_health
    return launcher


def test_a_run_is_running_while_its_process_lives_and_not_found_once_it_was_killed(
    instance: DagsterInstance, worker: "subprocess.Popen[bytes]"
) -> None:
    run = started_run(instance, worker.pid)
    launcher = launcher_of(instance)
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    os.kill(worker.pid, 9)
    while launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING:  # killed, perhaps not yet dead
        assert worker.poll() is None or worker.returncode == -9
    assert launcher.check_run_worker_health(run).status is WorkerStatus.NOT_FOUND  # a zombie counts as gone
    worker.wait()
    found = launcher.check_run_worker_health(run)
    assert found.status is WorkerStatus.NOT_FOUND
    assert str(worker.pid) in (found.msg or "")


def test_a_run_without_a_logged_process_is_unknown(instance: DagsterInstance) -> None:
    run = started_run(instance, None)
    assert launcher_of(instance).check_run_worker_health(run).status is WorkerStatus.UNKNOWN


def test_a_pid_that_was_given_to_a_younger_process_is_not_the_worker(worker: "subprocess.Popen[bytes]") -> None:
    assert is_same_process(worker.pid, started_before=time.time())
    assert not is_same_process(worker.pid, started_before=time.time() - 3600)
