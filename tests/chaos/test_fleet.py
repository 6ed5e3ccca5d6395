"""A fleet at work is hit at random moments: nothing acknowledged is lost, nothing is done twice, and it is quiet soon.

What the rounds print (`make chaos`) are the seconds from the moment a fault healed until every job had ended.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from cli.up.identity import Identity
from tests.factories.running import Running, until
from tests.factories.running_fleet import LEASE_S, NO_ANSWER, POLL_S, ROUNDS, Fleet, hit, signal_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 120 * ROUNDS)]
BOTS = 24
MORE = 10
CAP = 3  # MAX_BACKTESTS_RUNNING as it is by default
QUIET_S = 2 * (LEASE_S + POLL_S)
WORK_S = 20.0  # what is left of a round's work takes, a new worker's start included
Hit = Callable[[Fleet], None]


@pytest.fixture(scope="module")
def fleet(whole_gantry: Running) -> Iterator[Fleet]:
    yield Fleet.seeded(whole_gantry, count=BOTS)
    whole_gantry.gantry("down")  # nothing uses it after this file, and even idle it takes time from the other tests


def frozen_at_work(fleet: Fleet) -> tuple[Identity, ...]:
    """Stop the workers at a moment at which a job is in their hands."""
    end = time.monotonic() + 60
    while True:
        workers = fleet.workers()
        signal_all(workers, signal.SIGSTOP)
        if workers and fleet.running_jobs():
            return workers
        signal_all(workers, signal.SIGCONT)
        assert time.monotonic() < end, "no worker had a job in its hands"


def kill_workers(fleet: Fleet) -> None:
    signal_all(frozen_at_work(fleet), signal.SIGKILL)


def kill_workers_and_code_server(fleet: Fleet) -> None:
    kill_workers(fleet)
    hit(fleet.running, "dagster-code")


def stop_workers_past_their_leases(fleet: Fleet) -> None:
    stopped = frozen_at_work(fleet)
    try:
        time.sleep(2 * LEASE_S + POLL_S)  # the fault itself: one that was stopped within a transaction keeps its locks
    finally:
        signal_all(stopped, signal.SIGCONT)


FAULTS: dict[str, Hit] = {
    "worker": kill_workers,
    "worker and code server": kill_workers_and_code_server,
    "daemon": lambda fleet: hit(fleet.running, "dagster-daemon"),
    "Postgres": lambda fleet: hit(fleet.running, "postgres"),
    "Postgres, immediate": lambda fleet: hit(fleet.running, "postgres", signal.SIGQUIT),
    "worker, stopped past its lease": stop_workers_past_their_leases,
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fleet_that_is_hit_at_a_random_moment_loses_nothing_and_is_quiet_soon(fleet: Fleet, name: str) -> None:
    chance = random.Random(name)
    took, before = [], fleet.lost_attempts()
    for _round in range(ROUNDS):
        with fleet.at_work():
            time.sleep(chance.uniform(0, 1.0))
            FAULTS[name](fleet)
        took.append(fleet.until_quiet(seconds=QUIET_S + WORK_S))
        assert fleet.violations() == ()
    lost = fleet.lost_attempts() - before
    sys.stdout.write(f"{name}: quiet after {', '.join(f'{s:.1f}' for s in took)} s; {lost} attempts lost\n")
    if "worker" in name and "stopped" not in name:
        assert lost >= ROUNDS, "each round took jobs out of a worker's hands"
    assert fleet.most_at_once() <= CAP


def test_an_api_killed_between_commit_and_reply_answers_the_same_key_with_what_it_did(fleet: Fleet) -> None:
    unanswered = 0
    for number in range(ROUNDS + MORE):
        if number >= ROUNDS and unanswered:
            break  # by chance, the replies of all rounds were faster than the kill
        body, key = {"name": f"asked once {number}", "symbol": "ES", "strategy": "sma_cross"}, str(uuid4())
        pid: int = fleet.running.process("api")["pid"]
        with ThreadPoolExecutor(1) as pool, psycopg.connect(fleet.url, autocommit=True) as watching:
            asked = pool.submit(fleet.running.api, "POST", "/api/bots", body, key=key)
            seen = "SELECT 1 FROM bots WHERE name = %s"
            while not watching.execute(seen, (body["name"],)).fetchall() and not asked.done():
                pass
            os.kill(pid, signal.SIGKILL)
            first = None
            with suppress(*NO_ANSWER):
                first = asked.result()
        unanswered += first is None
        answer = fleet.post("/api/bots", body, key=key)
        assert answer["success"], answer
        assert first is None or first["data"]["id"] == answer["data"]["id"]
        assert fleet.rows("SELECT id::text FROM bots WHERE name = %s", body["name"]) == [(answer["data"]["id"],)]
        assert fleet.violations(quiet=False) == ()  # the planner is giving it its baseline
    fleet.until_quiet(seconds=QUIET_S + WORK_S)
    assert fleet.violations() == ()
    sys.stdout.write(f"API: {unanswered} requests were committed and never answered\n")
    assert unanswered, "no kill fell between a commit and its reply"


def test_two_daemons_at_once_stay_within_the_caps_and_start_nothing_twice(fleet: Fleet) -> None:
    own = Path(f"/proc/{fleet.running.process('dagster-daemon')['pid']}")
    command = [os.fsdecode(part) for part in (own / "cmdline").read_bytes().split(b"\0") if part]
    environment = dict(
        os.fsdecode(entry).split("=", 1) for entry in (own / "environ").read_bytes().split(b"\0") if entry
    )
    log = fleet.running.home / "logs" / "second-daemon.log"
    with log.open("wb") as out:
        second = subprocess.Popen(command, env=environment, cwd=own / "cwd", stdout=out, stderr=out)
        try:
            until(lambda: b"daemon" in log.read_bytes().lower(), seconds=60, what="the second daemon speaks")
            for _round in range(ROUNDS):
                with fleet.at_work():
                    time.sleep(2 * POLL_S)
                fleet.until_quiet(seconds=QUIET_S + WORK_S)
            assert second.poll() is None, log.read_text()
        finally:
            second.kill()
            second.wait()
    assert fleet.violations() == ()
    assert fleet.most_at_once() <= CAP
    runs = fleet.rows("SELECT count(*), count(DISTINCT run_id) FROM worker_runs WHERE run_id IS NOT NULL")
    assert runs[0][0] == runs[0][1]
