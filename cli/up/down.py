"""`gantry down`: stop the supervisor of this data folder, and see that nothing of it is left."""

import signal
import time

import typer

from cli.console import say
from cli.up.home import Home
from cli.up.identity import Identity, is_alive, marked, send
from cli.up.leftovers import sweep_leftovers
from cli.up.state import Lock, is_locked, read_state
from core.errors import ErrorCode, GantryError, Kind

STOP_S = 40.0
POLL_S = 0.1

app = typer.Typer(add_completion=False)


@app.command()
def down() -> None:
    """Stop everything `gantry up` started, in order, Postgres last."""
    from core.settings import get_settings

    home = Home(get_settings().gantry_home.absolute())
    say("Everything is stopped." if stop(home) else "Nothing was running.")


def stop(home: Home) -> bool:
    """Stop the supervisor; False when none ran. Raises GantryError when it can't be ended."""
    state = read_state(home)
    was_running = is_locked(home.lock_file)
    if was_running and state is not None:
        send(state.supervisor, signal.SIGTERM)
        _wait_until_unlocked(home, state.supervisor)
    if not home.lock_file.parent.exists():
        return False
    lock = Lock(home.lock_file)
    if not lock.acquire():
        raise GantryError(
            ErrorCode.CONFLICT,
            "The supervisor of this data folder doesn't stop.",
            fix="See logs/up.log there; `gantry status` names its pid.",
            kind=Kind.CONFLICT,
        )
    try:
        left = bool(marked(f"{home.root}:"))
        sweep_leftovers(home)
    finally:
        lock.release()
    return was_running or left


def _wait_until_unlocked(home: Home, supervisor: Identity) -> None:
    until = time.monotonic() + STOP_S
    while time.monotonic() < until and is_locked(home.lock_file):
        time.sleep(POLL_S)
    if is_alive(supervisor) and is_locked(home.lock_file):  # hung: its children die with it
        send(supervisor, signal.SIGKILL)
        while is_alive(supervisor):
            time.sleep(POLL_S)
