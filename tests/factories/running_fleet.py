"""A fleet at work for tests of faults: asks for backtests, finds what grades them, and waits until it is quiet."""

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from cli.up.identity import Identity, send
from services.proof.invariants import Violation, check_invariants
from sql.engine import connect, transactions
from tests.factories.running import Running, until

ROUNDS = int(os.environ.get("GANTRY_CHAOS_ROUNDS", "2"))
LEASE_S = 3.0  # as tests/factories/running.py sets it
POLL_S = 5.0  # the daemon's loop, within which a tick of the sensor falls
NO_ANSWER = (OSError, http.client.HTTPException, ValueError)  # ValueError: an answer that was cut


@dataclass(slots=True)
class Fleet:
    """The bots of one Gantry, and every job of theirs that was acknowledged."""

    running: Running
    url: str
    bots: Sequence[str]
    acknowledged: set[str] = field(default_factory=set)

    @classmethod
    def seeded(cls, running: Running, *, count: int) -> "Fleet":
        """Make a starter pack of that many bots, and wait until it is graded."""
        made = running.api("POST", "/api/bots/starter-pack", {"symbols": ["ES"], "count": count})
        assert made["success"], made
        url = running.gantry("db", "url").strip()
        fleet = cls(running, url, [bot["id"] for bot in made["bots"]], {job["id"] for job in made["jobs"]})
        fleet.until_quiet(seconds=120)
        return fleet

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Ask for backtests of all bots again and again while the block goes on; it begins when a job runs."""
        over = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(self._ask_until, over)
            try:
                until(self.running_jobs, seconds=60, what="a job was claimed")
                yield
            finally:
                over.set()
                asking.result()

    def _ask_until(self, over: threading.Event) -> None:
        with ThreadPoolExecutor(8) as pool:
            while not over.is_set():
                self.acknowledged.update(job_id for job_id in pool.map(self._ask, self.bots) if job_id)
                over.wait(1.5)  # more would keep a core busy with refusals: a bot has one active job

    def _ask(self, bot_id: str) -> str | None:
        answer = self.post(f"/api/bots/{bot_id}/run-backtest")
        if answer["success"]:
            job_id: str = answer["job"]["id"]
            return job_id
        assert answer["error_code"] == "CONFLICT", answer  # the job before it is still at work
        return None

    def post(self, path: str, body: Mapping[str, object] | None = None, *, key: str = "") -> dict[str, Any]:
        """Post under one Idempotency-Key until there is an answer: what was not answered may have been done."""
        key, end = key or str(uuid4()), time.monotonic() + 60
        while True:
            with suppress(*NO_ANSWER):
                answer = self.running.api("POST", path, body, key=key)
                if answer.get("error_code") != "DATABASE_UNAVAILABLE":
                    return answer
            assert time.monotonic() < end, f"no answer to POST {path}"
            time.sleep(0.05)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows; while Postgres comes back, none yet: ask again."""
        end = time.monotonic() + 30
        while True:
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    return connection.execute(query.encode(), values).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < end, "Postgres didn't come back"
                time.sleep(0.05)

    def running_jobs(self) -> set[str]:
        """Ids of the jobs that run."""
        return {job_id for (job_id,) in self.rows("SELECT id::text FROM bot_jobs WHERE status = 'RUNNING'")}

    def is_quiet(self) -> bool:
        """Whether every job ended."""
        return not self.rows("SELECT 1 FROM bot_jobs WHERE status IN ('QUEUED', 'RUNNING') LIMIT 1")

    def until_quiet(self, *, seconds: float) -> float:
        """Wait until every job ended; return how long that took, seconds."""
        began = time.monotonic()
        until(self.is_quiet, seconds=seconds, what="all jobs ended", every=0.2)
        return time.monotonic() - began

    def workers(self) -> tuple[Identity, ...]:
        """Processes of worker runs: the code server spawns one for each."""
        return tuple(process for process in self.running.living() if b"--multiprocessing-fork" in _command(process.pid))

    def violations(self, *, quiet: bool = True) -> tuple[Violation, ...]:
        """What must not be, while jobs go on or now that all is quiet; an acknowledged job that is gone too."""
        engine = connect(self.url)
        try:
            with transactions(engine)() as session:
                found = check_invariants(session, quiet=quiet)
        finally:
            engine.dispose()
        there = {str(job_id) for (job_id,) in self.rows("SELECT id FROM bot_jobs")}
        lost = self.acknowledged - there
        return (*found, *(Violation("I1", f"acknowledged job {job_id} is gone", {}) for job_id in lost))

    def lost_attempts(self) -> int:
        """How many jobs lost their worker so far."""
        [(count,)] = self.rows("SELECT count(*) FROM bot_jobs WHERE error_code IN ('HEARTBEAT_TIMEOUT', 'RUN_FAILED')")
        return int(count)

    def most_at_once(self) -> int:
        """How many jobs ran at the same time at the most, by the ledger's own times."""
        ledger = self.rows(
            "SELECT CASE WHEN to_status = 'RUNNING' THEN 1 ELSE -1 END FROM job_run_events "
            "WHERE to_status = 'RUNNING' OR from_status = 'RUNNING' ORDER BY created_at, to_status = 'RUNNING'"
        )
        return max(accumulate(step for (step,) in ledger), default=0)


def signal_all(processes: Sequence[Identity], number: signal.Signals) -> None:
    """Send a signal to each of these."""
    for process in processes:
        send(process, number)


def hit(running: Running, name: str, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to one of Gantry's own processes, and wait until it runs again."""
    pid: int = running.process(name)["pid"]
    os.kill(pid, number)
    until(lambda: _is_back(running, name, pid), seconds=60, what=f"{name} is back")


def _is_back(running: Running, name: str, before: int) -> bool:
    record = running.process(name)
    return record["state"] == "RUNNING" and record["pid"] not in {before, None}


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
