"""The embedded Postgres: one cluster in a folder, one foreground server on loopback, driven by this process.

Survives kill -9 of anything: a stale pid file is recognised by asking whether its pid is a live postgres of this very
folder. Passwords are random and lie in 0600 files; the server listens on 127.0.0.1 alone.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql as pgsql

from core.errors import ErrorCode, GantryError, Kind
from sql.embedded_binaries import as_other_user, binaries, die_with_parent, run

MAJOR = 18
OWNER, APP, DATABASE = "gantry_owner", "gantry_app", "gantry"
READY_WITHIN_S = 20.0


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
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return state if _is_postgres_of(state.pid, folder / "data") else None


class EmbeddedPostgres:
    """One server. start() returns when it answers; stop() ends it in order."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self._folder = folder.absolute()
        self._data = self._folder / "data"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process; its pid is the postmaster's."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process

    def start(self) -> RunningState:
        """Make the cluster if there is none, start the server, make roles and database, and return where it is.

        Raises:
            GantryError: ENVIRONMENT_INVALID or CONFLICT: folder read-only, full, of another version, in use; port taken.

        """
        self._claim_folder()
        self._check_version()
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._drop_stale_pid_file()
        port = self._port or _free_port()
        _refuse_taken(port)
        self._launch(port)
        state = self._prepare_roles(port)
        target = self._folder / "state.json"
        _write_secret(target, json.dumps(asdict(state)))
        return state

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop fast: clients are disconnected, a checkpoint is written; after the timeout, at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(timeout_s)
        (self._folder / "state.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> RunningState:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _claim_folder(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / "lock").open("w")
        except OSError as error:
            raise _unusable(self._folder, error.strerror or str(error)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GantryError(
                ErrorCode.CONFLICT,
                f"Another Gantry already uses {self._folder}.",
                fix="Use that one (`gantry status`), stop it (`gantry down`), or set GANTRY_HOME.",
                kind=Kind.CONFLICT,
            ) from None
        if shutil.disk_usage(self._folder).free < 64 * 2**20:
            raise _unusable(self._folder, "less than 64 MB are free")

    def _check_version(self) -> None:
        version_file = self._data / "PG_VERSION"
        if version_file.exists() and version_file.read_text().strip() != str(MAJOR):
            raise _unusable(
                self._data,
                f"it belongs to PostgreSQL {version_file.read_text().strip()}, this release brings {MAJOR}",
            )

    def _initialise(self) -> None:
        password = secrets.token_urlsafe(32)
        secret = self._folder / "superuser.password"
        _write_secret(secret, password)
        shutil.rmtree(self._data, ignore_errors=True)
        ran = run(
            "initdb",
            [
                *(
                    "-D",
                    str(self._data),
                    "-U",
                    "postgres",
                    f"--pwfile={secret}",
                    "--auth=scram-sha-256",
                ),
                *(
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-instructions",
                    "--set",
                    "scram_iterations=1",
                ),
            ],
        )
        if ran.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            raise _unusable(self._folder, (ran.stderr.strip().splitlines() or ["initdb failed"])[-1])

    def _drop_stale_pid_file(self) -> None:
        pid_file = self._data / "postmaster.pid"
        deadline = time.monotonic() + 5
        while pid_file.exists():
            try:
                pid = int(pid_file.read_text().splitlines()[0])
            except (ValueError, IndexError, FileNotFoundError):
                pid = 0
            if not _is_postgres_of(pid, self._data):
                pid_file.unlink(missing_ok=True)
                return
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGQUIT)
                deadline += 5
            time.sleep(0.05)

    def _launch(self, port: int) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "shared_buffers": "128MB",
            "wal_compression": "on",
        }
        arguments = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *as_other_user(),
                    str(binaries() / "postgres"),
                    "-D",
                    str(self._data),
                    *arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )

    def _prepare_roles(self, port: int) -> RunningState:
        superuser = (self._folder / "superuser.password").read_text()
        urls = {
            role: f"postgresql://{role}:{self._password(role)}@127.0.0.1:{port}/{DATABASE}" for role in (OWNER, APP)
        }
        with self._connect(port, superuser) as connection:
            for role in (OWNER, APP):
                _ensure_role(connection, role, self._password(role))
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(
                    pgsql.SQL("CREATE DATABASE {} OWNER {}").format(pgsql.Identifier(DATABASE), pgsql.Identifier(OWNER))
                )
        return RunningState(self.process.pid, port, urls[OWNER], urls[APP])

    def _password(self, role: str) -> str:
        path = self._folder / f"{role}.password"
        if not path.exists():
            _write_secret(path, secrets.token_urlsafe(32))
        return path.read_text()

    def _connect(self, port: int, password: str) -> psycopg.Connection[tuple[object, ...]]:
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            if self.process.poll() is not None:
                last = (self._folder / "postgres.log").read_text(errors="replace").strip().splitlines()[-1:]
                raise _unusable(self._data, f"PostgreSQL ended at once: {' '.join(last)}")
            try:
                return psycopg.connect(
                    host="127.0.0.1",
                    port=port,
                    user="postgres",
                    password=password,
                    dbname="postgres",
                    autocommit=True,
                )
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise _unusable(self._data, f"PostgreSQL doesn't answer: {error}") from error
                time.sleep(0.05)


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = pgsql.SQL("ALTER" if known else "CREATE")
    connection.execute(
        pgsql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, pgsql.Identifier(role), pgsql.Literal(password))
    )


def _is_postgres_of(pid: int, data: Path) -> bool:
    """Whether that pid is a live postgres server of that data folder (Linux reads /proc, others ask by signal)."""
    if pid <= 0:
        return False
    proc = Path(f"/proc/{pid}")
    if Path("/proc/self").exists():
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise GantryError(
                ErrorCode.ENVIRONMENT_INVALID,
                f"Port {port} is taken.",
                fix="Stop what listens there, or set GANTRY_PG_PORT to another port.",
            ) from None


def _unusable(folder: Path, why: str) -> GantryError:
    return GantryError(
        ErrorCode.ENVIRONMENT_INVALID,
        f"{folder} can't hold the database: {why}.",
        fix="Give it space and write permission, or set GANTRY_HOME to another folder.",
    )


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
