"""A whole Gantry for tests: started, asked and stopped by its own commands, in a folder and on ports of its own."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from cli.status import as_plain
from cli.up.home import Home
from cli.up.identity import Identity, identify, marked
from cli.up.ports import free_port
from cli.up.state import is_locked, observed, read_state

ROOT = Path(__file__).resolve().parents[2]
GANTRY = Path(sys.executable).parent / "gantry"
OURS = ("DATABASE_URL", "GANTRY_PG_PORT", "DAGSTER_HOME", "GANTRY_DAGSTER_URL", "GANTRY_DATA_PROVIDER")


@dataclass(frozen=True)
class Running:
    """One data folder with its two ports."""

    home: Path
    api_port: int
    dagster_port: int

    @classmethod
    def in_folder(cls, home: Path) -> "Running":
        return cls(home, free_port(), free_port())

    @property
    def environment(self) -> dict[str, str]:
        # Compiled code is shared by all tests: it isn't what they are about, and takes half a minute to make.
        return {name: value for name, value in os.environ.items() if name not in OURS} | {
            "GANTRY_HOME": str(self.home),
            "GANTRY_PORT": str(self.api_port),
            "GANTRY_DAGSTER_PORT": str(self.dagster_port),
            "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(ROOT / ".gantry" / "cache" / "numba")),
            "LEASE_SECONDS": "3",
            "HEARTBEAT_SECONDS": "1",
            # Backtests alone, unless a test is about improvements: they would keep its fleet busy for minutes.
            "MAX_IMPROVE_RUNNING": os.environ.get("MAX_IMPROVE_RUNNING", "0"),
        }

    def gantry(self, *arguments: str) -> str:
        ran = subprocess.run(
            [GANTRY, *arguments], env=self.environment, capture_output=True, text=True, check=False, timeout=240
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr + self.logs()
        return ran.stdout

    def up(self) -> str:
        self.__dict__.pop("url", None)
        return self.gantry("up", "--detach")

    def status(self) -> dict[str, Any]:
        """What `gantry status --json` prints, without a process for it: tests of faults ask all the time."""
        home = Home(self.home)
        state = read_state(home)
        return as_plain(home, observed(state) if state else None, running=is_locked(home.lock_file))

    def process(self, name: str) -> dict[str, Any]:
        return next(record for record in self.status()["processes"] if record["name"] == name)

    def api(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, key: str | None = None
    ) -> dict[str, Any]:
        """Ask the API; key: under that Idempotency-Key."""
        return _ask(self.api_port, method, path, body, {} if key is None else {"Idempotency-Key": key})

    def graphql(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        answer = _ask(self.dagster_port, "POST", "/graphql", {"query": query, "variables": variables})
        assert "errors" not in answer, answer
        found: dict[str, Any] = answer["data"]
        return found

    @cached_property
    def url(self) -> str:
        """The database's, the same until it is restarted; asking costs a second of a core."""
        return self.gantry("db", "url").strip()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def living(self) -> tuple[Identity, ...]:
        """Every process that belongs to this folder: those with its mark, and its Postgres."""
        return (*marked(f"{self.home}:"), *_postgres_of(self.home))

    def logs(self) -> str:
        files = sorted((self.home / "logs").glob("*.log"))
        return "".join(f"\n== {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)


def until(holds: Callable[[], object], *, seconds: float, what: str, every: float = 0.1) -> None:
    """Ask again and again until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(every)


def _postgres_of(home: Path) -> tuple[Identity, ...]:
    data = os.fsencode(home / "postgres" / "data")
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if data in command and (process := identify(int(folder.name))) is not None:
                found.append(process)
    return tuple(found)


def _ask(
    port: int,
    method: str,
    path: str,
    body: Mapping[str, object] | None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, body=sent, headers={"Content-Type": "application/json", **headers})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()
