"""`gantry up`: start everything, here or detached."""

import asyncio
import os
from typing import Annotated

import typer

from cli.up.home import Home, open_home

app = typer.Typer(add_completion=False)


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything answers.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Keep the processes' lines to their log files.")] = False,
) -> None:
    """Start Postgres, the API and Dagster, print the URLs, and keep them alive until Ctrl-C."""
    from core.settings import get_settings

    home = open_home(get_settings().gantry_home)
    os.environ["GANTRY_HOME"] = str(home.root)
    if detach:
        from cli.up.detach import start_detached

        start_detached(home)
    else:
        run_here(home, echo=not quiet)


def run_here(home: Home, *, echo: bool) -> None:
    """Supervise in this process until a signal ends it.

    Raises GantryError: another supervisor holds this data folder, a port is taken, something can't be started.
    """
    from cli.up.board import Board
    from cli.up.database import Database
    from cli.up.identity import identify
    from cli.up.leftovers import Warden, sweep_leftovers
    from cli.up.plan import make_plan
    from cli.up.state import Lock, already_running
    from cli.up.supervisor import Supervisor
    from core.settings import get_settings

    settings = get_settings()
    lock = Lock(home.lock_file)
    if not lock.acquire():
        raise already_running(home)
    this = identify(os.getpid())
    if this is None:
        message = "this process has no identity"
        raise RuntimeError(message)
    sweep_leftovers(home)
    plan = make_plan(home, settings, echo=echo)
    warden = Warden(plan.mark, home)
    try:
        asyncio.run(Supervisor(plan, Board(home, this, plan.mark), Database(home, settings)).run())
    finally:
        warden.dismiss()
        home.state_file.unlink(missing_ok=True)
        lock.release()
