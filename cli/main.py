"""The command `gantry`: one table of commands, each loaded only when it is the one called.

Importing this module loads neither Dagster, vectorbt, pandas nor SQLAlchemy, so that `gantry --help` answers at once.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import typer

from core.errors import GantryError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: the module whose typer application `app` it is, and its line in the overview."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "up": Entry("cli.up.command", "Start everything: Postgres, API, Dagster. Stays in the foreground."),
    "down": Entry("cli.up.down", "Stop what `gantry up --detach` started."),
    "status": Entry("cli.status", "State of every process."),
    "demo": Entry("cli.demo.command", "Headless: bars in, graded bots out."),
    "bars": Entry("cli.bars.command", "Bars: import, fetch, list, check, gaps, export."),
    "bots": Entry(
        "cli.bots.command", "Bots: list, show, create, change, backtest, promote, archive; trades, equity, versions."
    ),
    "jobs": Entry("cli.jobs", "Jobs: list, show with the ledger."),
    "autonomy": Entry("cli.planner", "What the planner did and why a bot has no job: show, bots, tick."),
    "admin": Entry("cli.admin", "Bulk changes: reset-metrics, revert-to-lab; each with --dry-run."),
    "backtest": Entry("cli.backtest.command", "One backtest of one file, without a database."),
    "db": Entry("cli.db", "The database: its URL."),
    "proof": Entry(
        "cli.proof.command", "Write the proof pack: what the API, the database and the checks answer, as files."
    ),
    "doctor": Entry("cli.doctor", "Check this machine and this installation."),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command. Exit codes: 0 done, 1 failed, 2 wrong use."""
    args = list(sys.argv[1:] if argv is None else argv)
    prepare_environment()
    try:
        if args and args[0] in COMMANDS:
            load(args[0])(args[1:], prog_name=f"gantry {args[0]}")
        else:
            overview()(args, prog_name="gantry")
    except GantryError as error:
        from cli.console import show_error

        show_error(error)
        raise SystemExit(1) from None


def load(name: str) -> Callable[..., object]:
    """Load one command, or one group of them, from its module."""
    app: typer.Typer = import_module(COMMANDS[name].module).app
    app.pretty_exceptions_enable = False
    return typer.main.get_command(app)


def prepare_environment() -> None:
    """Let compiled code be kept: Python's bytecode beside its source, numba's in the data folder.

    Some machines switch bytecode off; Dagster would then take seconds longer to come up, at every start.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    home = Path(os.environ.get("GANTRY_HOME") or ROOT / ".gantry").absolute()
    os.environ.setdefault("NUMBA_CACHE_DIR", str(home / "cache" / "numba"))


def overview() -> Callable[..., object]:
    """Build the application behind `gantry --help`: names and one line each, nothing loaded."""
    app = typer.Typer(
        name="gantry",
        help="Gantry: the control plane for fleets of autonomous futures bots.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain text: loading rich would double the time of `gantry --help`
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def _root() -> None:
        """Gantry: the control plane for fleets of autonomous futures bots."""

    for name, entry in COMMANDS.items():
        app.command(name, help=entry.summary)(_never_called)
    return typer.main.get_command(app)


def _never_called() -> None:
    """Provide the line in the overview; `main` hands a known name to its own application before this is reached."""


if __name__ == "__main__":
    main()
