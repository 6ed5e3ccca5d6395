"""The embedded Postgres: one cluster in a folder, one foreground server on loopback, driven by this process.

Survives kill -9 of anything: a stale pid file is recognised by asking whether its pid is a live postgres of this very
folder. Passwords are random and lie in 0600 files; the server listens on 127.0.0.1 alone.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

import psycopg
from psycopg import sql as pgsql

from core.errors import ErrorCode, GantryError
from sql import embedded_folder as files
from sql.embedded_binaries import identity, reason, run, spawn
from sql.embedded_folder import RunningState, read_state
from sql.roles import APP, OWNER

__all__ = ["DATABASE", "EmbeddedPostgres", "RunningState", "read_state"]

DATABASE: Final = "gantry"
READY_WITHIN_S: Final = 20.0
PORT_TRIES: Final = 3
SERVER_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    "wal_compression": "on",
}


class EmbeddedPostgres:
    """One server. start() returns when it answers; stop() ends it in order; both may be repeated."""

    def __init__(self, folder: Path, port: int | None = None, *, settings: Mapping[str, str] | None = None) -> None:
        self._folder = folder.absolute()
        self._settings = SERVER_SETTINGS | dict(settings or {})
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
            GantryError: ENVIRONMENT_INVALID: the folder is read-only, full, another user's or another version's,
                the port is taken; CONFLICT: the folder is in use.

        """
        self._lock = files.claim(self._folder)
        try:
            files.check_fit(self._folder, owner_uid=identity().file_owner)
            if not self._data.exists():
                self._initialise()
            files.drop_stale_pid_file(self._data)
            state = self._serve()
            files.write_state(self._folder, state)
        except OSError as error:
            self.stop()
            raise files.unusable(self._folder, error.strerror or str(error)) from error
        except BaseException:
            self.stop()
            raise
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
        if self._lock is not None:  # only who holds it may say that nothing runs
            (self._folder / "state.json").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def __enter__(self) -> RunningState:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _initialise(self) -> None:
        new, secret = self._folder / "data.new", self._folder / "superuser.password"
        shutil.rmtree(new, ignore_errors=True)
        secret.unlink(missing_ok=True)
        files.password(self._folder, "superuser")
        new.mkdir(mode=0o700)
        for path in (new, secret):
            _hand_over(path)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        # The password is random, so that stretching it would only slow each connection down.
        options += ["--set", "scram_iterations=1", f"--pwfile={secret}"]
        ran = run("initdb", ["-D", str(new), "-U", "postgres", *options])
        if ran.returncode:
            shutil.rmtree(new, ignore_errors=True)
            raise files.unusable(self._folder, reason(ran.stderr))
        new.rename(self._data)

    def _serve(self) -> RunningState:
        """Start the server; a port that we picked and somebody else took in between is picked anew."""
        for tries_left in reversed(range(PORT_TRIES)):
            port = self._port or _free_port()
            _refuse_taken(port)
            log = self._launch(port)
            try:
                with self._connect(port, log) as connection:
                    return self._prepare(connection, port)
            except GantryError:
                if self._port or not tries_left or b"could not bind" not in _tail(self._folder, log):
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _launch(self, port: int) -> int:
        """Start the process; return where in the log it begins to write."""
        settings = {**self._settings, "port": str(port)}
        arguments = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self._folder / "postgres.log").open("ab") as log:
            begins = log.tell()
            self._process = spawn("postgres", ["-D", str(self._data), *arguments], log)
        return begins

    def _connect(self, port: int, log: int) -> psycopg.Connection[tuple[object, ...]]:
        secret = files.password(self._folder, "superuser")
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            if self.process.poll() is not None:
                why = reason(_tail(self._folder, log).decode(errors="replace"))
                raise files.unusable(self._data, f"PostgreSQL ended at once: {why}")
            try:
                return psycopg.connect(
                    host="127.0.0.1",
                    port=port,
                    user="postgres",
                    password=secret,
                    dbname="postgres",
                    autocommit=True,
                    connect_timeout=5,
                )
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise files.unusable(self._data, f"PostgreSQL doesn't answer: {error}") from error
                time.sleep(0.02)

    def _prepare(self, connection: psycopg.Connection[tuple[object, ...]], port: int) -> RunningState:
        urls = {}
        for role in (OWNER, APP):
            secret = files.password(self._folder, role)
            _ensure_role(connection, role, secret)
            urls[role] = f"postgresql://{role}:{secret}@127.0.0.1:{port}/{DATABASE}"
        owner, app = pgsql.Identifier(OWNER), pgsql.Identifier(APP)
        connection.execute(pgsql.SQL("GRANT {} TO {}").format(app, owner))
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if found is None:
            connection.execute(pgsql.SQL("CREATE DATABASE {} OWNER {}").format(pgsql.Identifier(DATABASE), owner))
        return RunningState(self.process.pid, port, urls[OWNER], urls[APP])


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], role: str, secret: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = pgsql.SQL("ALTER" if known else "CREATE")
    statement = pgsql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(verb, pgsql.Identifier(role), pgsql.Literal(secret)))


def _hand_over(path: Path) -> None:
    """Give a path to the user PostgreSQL runs as, where that isn't ours."""
    uid = identity().uid
    if uid is not None:
        os.chown(path, uid, uid)


def _tail(folder: Path, start: int) -> bytes:
    with (folder / "postgres.log").open("rb") as log:
        log.seek(start)
        return log.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise GantryError(
                ErrorCode.ENVIRONMENT_INVALID,
                f"Port {port} can't be used for Postgres: {error.strerror}.",
                fix="Stop the process that listens there, or set GANTRY_PG_PORT to another port.",
            ) from None
