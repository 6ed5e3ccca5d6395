"""kill -9 of every process, alone and all at once: nothing lost, no orphan, no manual step."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.up.identity import Identity, is_alive
from tests.factories.running import Running, until

pytestmark = [pytest.mark.slow]

KILLED = ("postgres", "api", "dagster-code", "dagster-daemon", "dagster-web")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running.in_folder(tmp_path)
    try:
        made.up()
        yield made
    finally:
        made.gantry("down")
    assert made.living() == ()


def kill(running: Running, name: str) -> int:
    pid: int = running.process(name)["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def is_back(running: Running, name: str, before: int) -> bool:
    record = running.process(name)
    return record["state"] == "RUNNING" and record["pid"] not in {before, None}


def kill_supervisor(running: Running) -> tuple[Identity, ...]:
    """Kill the supervisor alone; return all that lived under it."""
    living = running.living()
    os.kill(running.status()["supervisor_pid"], signal.SIGKILL)
    return living


def test_whatever_is_killed_comes_back_and_nothing_is_lost(running: Running) -> None:
    made = running.api("POST", "/api/bots", {"name": "kept", "symbol": "ES", "strategy": "sma_cross"})
    assert made["success"], made
    before = {name: kill(running, name) for name in KILLED}
    until(lambda: all(is_back(running, *killed) for killed in before.items()), seconds=90, what="all came back")
    first = "SELECT 1 FROM bot_jobs WHERE status = 'COMPLETED'"
    until(lambda: running.rows(first), seconds=90, what="the bot has its baseline, whatever was killed meanwhile")
    # A job is at work when everything is killed from the top down.
    [(bot_id,)] = running.rows("SELECT id::text FROM bots")
    job_id = running.api("POST", f"/api/bots/{bot_id}/run-backtest")["job"]["id"]
    claimed = "SELECT 1 FROM bot_jobs WHERE id = %s AND status <> 'QUEUED'"
    until(lambda: running.rows(claimed, job_id), seconds=90, what="the job was claimed")
    lived = kill_supervisor(running)
    assert len(lived) >= len(KILLED)
    until(lambda: not any(is_alive(process) for process in lived), seconds=10, what="nothing outlives the supervisor")
    assert running.status()["running"] is False
    assert {record["state"] for record in running.status()["processes"]} == {"STOPPED"}

    running.up()

    assert [bot["name"] for bot in running.api("GET", "/api/bots")["data"]] == ["kept"]
    until(
        lambda: running.rows("SELECT 1 FROM bot_jobs WHERE root_job_id = %s AND status = 'COMPLETED'", job_id),
        seconds=90,
        what="the interrupted job, or its retry, was completed without a click",
    )
    [(sessions, right)] = running.rows(
        "SELECT count(*), count(*) FILTER (WHERE s.net_pnl = "
        "(SELECT coalesce(sum(t.net_pnl), 0) FROM trade_logs t WHERE t.session_id = s.id)) "
        "FROM backtest_sessions s WHERE s.status = 'COMPLETED'"
    )
    assert (sessions, right) == (2, 2)
