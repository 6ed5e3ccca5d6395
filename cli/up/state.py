"""What the supervisor knows of its processes, in one file others may read; and the lock that proves it lives."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cli.up.home import Home
from cli.up.identity import Identity, is_alive
from core.errors import ErrorCode, GantryError, Kind

POSTGRES = "postgres"


class ProcessState(StrEnum):
    """State of one supervised process, as seen now."""

    STARTING = "STARTING"  # alive, does not answer yet
    RUNNING = "RUNNING"  # alive, has answered
    RESTARTING = "RESTARTING"  # died; is started again after a pause
    STOPPED = "STOPPED"  # not alive


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One supervised process. `since` is when it entered its state, RFC 3339 UTC."""

    name: str
    pid: int | None
    started: int | None
    state: ProcessState
    url: str | None
    since: str
    restarts: int


@dataclass(frozen=True, slots=True)
class UpState:
    """Everything one `gantry up` runs. `ready_at` is None until every process has answered once."""

    supervisor: Identity
    mark: str
    ready_at: str | None
    processes: tuple[ProcessRecord, ...]


def write_state(home: Home, state: UpState) -> None:
    """Replace the state file in one step."""
    temporary = home.state_file.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(state), indent=1))
    temporary.replace(home.state_file)


def read_state(home: Home) -> UpState | None:
    """Return the last written state; None when there is none that can be read."""
    try:
        raw = json.loads(home.state_file.read_text())
        processes = tuple(
            ProcessRecord(**{**record, "state": ProcessState(record["state"])}) for record in raw["processes"]
        )
        return UpState(Identity(**raw["supervisor"]), raw["mark"], raw["ready_at"], processes)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def port_of(home: Home, name: str) -> int | None:
    """Return the port on which that process of the Gantry on this home answers; None while none runs there."""
    state = read_state(home) if is_locked(home.lock_file) else None
    urls = [record.url for record in (state.processes if state else ()) if record.name == name]
    return urlsplit(urls[0]).port if urls and urls[0] else None


def observed(state: UpState) -> UpState:
    """Return the state with each process's liveness looked up now: a dead one is never shown as running."""
    return replace(state, processes=tuple(_observe(record) for record in state.processes))


def _observe(record: ProcessRecord) -> ProcessRecord:
    if record.pid is not None and is_alive(Identity(record.pid, record.started)):
        return record
    if record.state is ProcessState.RESTARTING:
        return replace(record, pid=None, started=None)
    return replace(record, pid=None, started=None, state=ProcessState.STOPPED)


class Lock:
    """An advisory lock the kernel drops when its holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when somebody else holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(path: Path) -> bool:
    """Whether a supervisor holds the lock now."""
    if not path.exists():
        return False
    lock = Lock(path)
    if lock.acquire():
        lock.release()
        return False
    return True


def already_running(home: Home) -> GantryError:
    """The refusal of a second supervisor on one data folder."""
    state = read_state(home)
    who = f" (pid {state.supervisor.pid})" if state else ""
    return GantryError(
        ErrorCode.CONFLICT,
        f"Gantry already runs on the data folder {home.root}{who}.",
        fix="`gantry status` shows it, `gantry down` stops it; or set GANTRY_HOME to another folder.",
        kind=Kind.CONFLICT,
    )
