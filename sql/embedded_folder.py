"""The embedded Postgres' folder: who may use it, whether it is fit, its secrets, and where its server is.

lock                    held (flock) by the process that drives the server
data/                   the cluster; initdb works in data.new/ and renames, so a killed set-up leaves nothing half-made
*.password, state.json  0600
postgres.log
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from core.errors import ErrorCode, GantryError, Kind

MAJOR: Final = 18
MINIMUM_FREE_BYTES: Final = 64 * 2**20
STALE_WAIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class RunningState:
    """Where the running server is; kept beside its data in a 0600 file."""

    pid: int
    port: int
    owner_url: str
    app_url: str


def read_state(folder: Path) -> RunningState | None:
    """Return the running server of that folder, or None when none runs."""
    try:
        state = RunningState(**json.loads((folder / "state.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return state if is_postgres_of(state.pid, folder.absolute() / "data") else None


def write_state(folder: Path, state: RunningState) -> None:
    """Publish where the server is."""
    write_secret(folder / "state.json", json.dumps(asdict(state)))


def claim(folder: Path) -> IO[str]:
    """Make the folder and take its lock, which is held until the returned file is closed.

    Raises:
        GantryError: ENVIRONMENT_INVALID for a folder that can't be written or is full; CONFLICT for one in use.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise unusable(folder, error.strerror or str(error)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise GantryError(
            ErrorCode.CONFLICT,
            f"Another Gantry already uses {folder}.",
            fix="Use that one (`gantry status`), stop it (`gantry down`), or set GANTRY_HOME.",
            kind=Kind.CONFLICT,
        ) from None
    return lock


def check_fit(folder: Path, *, owner_uid: int) -> None:
    """Refuse a folder that is nearly full, or whose cluster is another user's or another version's.

    Raises:
        GantryError: ENVIRONMENT_INVALID.

    """
    if shutil.disk_usage(folder).free < MINIMUM_FREE_BYTES:
        raise unusable(folder, f"less than {MINIMUM_FREE_BYTES // 2**20} MB are free")
    data = folder / "data"
    if not data.exists():
        return
    if data.stat().st_uid != owner_uid:
        raise unusable(data, f"it belongs to user {data.stat().st_uid}, and PostgreSQL would run as {owner_uid}")
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise unusable(data, f"it is not a cluster: PG_VERSION, {error.strerror}") from error
    if version != str(MAJOR):
        raise unusable(data, f"it belongs to PostgreSQL {version}, this release brings {MAJOR}")


def drop_stale_pid_file(data: Path) -> None:
    """Remove what a killed server left; one that still lives, though the lock is ours, has lost its driver: end it.

    Raises:
        GantryError: ENVIRONMENT_INVALID for a server that doesn't end.

    """
    pid_file = data / "postmaster.pid"
    signals = iter((signal.SIGQUIT, signal.SIGKILL))
    deadline = time.monotonic() + STALE_WAIT_S
    while pid_file.exists():
        pid = _first_line(pid_file)
        if not is_postgres_of(pid, data):
            pid_file.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            following = next(signals, None)
            if following is None:
                raise unusable(data, f"its server, pid {pid}, doesn't stop")
            os.kill(pid, following)
            deadline += STALE_WAIT_S
        time.sleep(0.05)


def is_postgres_of(pid: int, data: Path) -> bool:
    """Whether that pid is a live postgres server of that data folder (Linux reads /proc, others ask by signal)."""
    if pid <= 0:
        return False
    if Path("/proc/self").exists():
        proc = Path(f"/proc/{pid}")
        try:
            state = proc.joinpath("stat").read_text().rpartition(")")[2].split()[0]
            command = proc.joinpath("cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return state != "Z" and command[0].endswith(b"postgres") and os.fsencode(data.absolute()) in command
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def password(folder: Path, role: str) -> str:
    """Return the role's password; a random one is made, and kept, where there is none."""
    path = folder / f"{role}.password"
    if not path.exists() or not path.read_text():
        write_secret(path, secrets.token_urlsafe(32))
    return path.read_text()


def write_secret(path: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    new.replace(path)


def unusable(folder: Path, why: str) -> GantryError:
    """ENVIRONMENT_INVALID, naming the folder and the reason."""
    return GantryError(
        ErrorCode.ENVIRONMENT_INVALID,
        f"{folder} can't hold the database: {why}.",
        fix="Give it space and write permission, or set GANTRY_HOME to another folder.",
    )


def _first_line(pid_file: Path) -> int:
    try:
        return int(pid_file.read_text().splitlines()[0])
    except (ValueError, IndexError, FileNotFoundError):
        return 0
