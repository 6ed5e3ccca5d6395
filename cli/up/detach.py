"""`gantry up --detach`: start the supervisor in a session of its own, and return when everything answers."""

import subprocess
import sys
import time

from cli.console import note, say
from cli.up.home import Home
from cli.up.plan import ROOT, base_environment
from cli.up.state import UpState, already_running, is_locked, read_state
from core.errors import ErrorCode, GantryError, Kind

READY_S = 300.0
POLL_S = 0.1


def start_detached(home: Home) -> None:
    """Start and wait. Raises GantryError: already running, or not ready in five minutes; exits 1 when it ended."""
    if is_locked(home.lock_file):
        raise already_running(home)
    log = home.logs / "up.log"
    before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = subprocess.Popen(
            (sys.executable, "-m", "cli.main", "up", "--quiet"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env=base_environment(),
            start_new_session=True,
        )
    follow(process, home, before)


def follow(process: "subprocess.Popen[bytes]", home: Home, begin: int) -> None:
    """Repeat the supervisor's lines until it is ready or has ended."""
    until = time.monotonic() + READY_S
    with (home.logs / "up.log").open("rb") as log:
        log.seek(begin)
        while time.monotonic() < until:
            ended = process.poll() is not None
            ready = _is_ready(read_state(home), process.pid)
            for line in log.read().decode(errors="replace").splitlines():
                (note if ended else say)(line)
            if ended:
                raise SystemExit(1)
            if ready:
                say("Gantry runs in the background; `gantry status` shows how it is.")
                return
            time.sleep(POLL_S)
    raise GantryError(
        ErrorCode.ENVIRONMENT_INVALID,
        f"Not everything answered within {READY_S:.0f} s.",
        fix=f"See {home.logs} and `gantry status`; `gantry down` stops what runs.",
        kind=Kind.UNAVAILABLE,
    )


def _is_ready(state: UpState | None, pid: int) -> bool:
    return state is not None and state.supervisor.pid == pid and state.ready_at is not None
