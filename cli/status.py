"""`gantry status`: every process as it is now, from the state file and the kernel."""

from dataclasses import asdict
from datetime import UTC, datetime

import typer

from cli.console import print_json, say
from cli.options import AsJson
from cli.up.home import Home
from cli.up.state import ProcessRecord, UpState, is_locked, observed, read_state

app = typer.Typer(add_completion=False)


@app.command()
def status(
    as_json: AsJson = False,
) -> None:
    """Show every process: state, pid, URL, since when, and how often it was restarted."""
    from core.settings import get_settings

    home = Home(get_settings().gantry_home.absolute())
    found = read_state(home)
    state = observed(found) if found else None
    running = is_locked(home.lock_file)
    if as_json:
        print_json(as_plain(home, state, running=running))
    elif state is None:
        say(f"Nothing runs on {home.root}. `gantry up` starts everything.")
    else:
        show(state, running=running)


def as_plain(home: Home, state: UpState | None, *, running: bool) -> dict[str, object]:
    """Return the state as JSON-ready fields."""
    return {
        "running": running,
        "ready": bool(running and state and state.ready_at),
        "home": str(home.root),
        "supervisor_pid": state.supervisor.pid if state and running else None,
        "processes": [
            {name: value for name, value in asdict(record).items() if name != "started"}
            for record in (state.processes if state else ())
        ],
    }


def show(state: UpState, *, running: bool) -> None:
    """Print the state as a table."""
    from rich.table import Table

    from cli.tables import print_table

    table = Table(title=f"Supervisor {'pid ' + str(state.supervisor.pid) if running else 'not running'}")
    for column in ("process", "state", "pid", "since", "restarts", "url"):
        table.add_column(column)
    for record in state.processes:
        table.add_row(*_row(record))
    print_table(table)


def _row(record: ProcessRecord) -> tuple[str, ...]:
    since = datetime.fromisoformat(record.since).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    pid = "" if record.pid is None else str(record.pid)
    return (record.name, record.state.value, pid, since, str(record.restarts), record.url or "")
