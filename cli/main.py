"""The command `gantry`: one table of commands, each loaded only when it is the one called.

Importing this module loads neither Dagster, vectorbt, pandas nor SQLAlchemy, so that `gantry --help` answers at once.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from core.errors import GantryError

ROOT = Path(__file__).resolve().parent.parent
WIDE = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: the module whose typer application `app` it is, and its line in the overview."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "up": Entry("cli.up.command", "Start everything: Postgres, API, Dagster. Stays in the foreground."),
    "down": Entry("cli.up.down", "Stop what `gantry up --detach` started."),
    "status": Entry("cli.status", "State of every process."),
    "logs": Entry("cli.logs.command", "What the processes wrote, by process, time and level; -f follows."),
    "demo": Entry("cli.demo.command", "Headless: bars in, graded bots out."),
    "bars": Entry("cli.bars.command", "Bars: import, fetch, list, check, gaps, accept, export."),
    "bots": Entry("cli.bots.command", "Bots: list, show, create, change, promote, archive; what each did."),
    "jobs": Entry("cli.jobs", "Jobs: list, show with the ledger."),
    "autonomy": Entry("cli.planner", "What the planner did and why a bot has no job: show, bots, tick."),
    "admin": Entry("cli.admin", "Bulk changes: reset-metrics, revert-to-lab; each with --dry-run."),
    "strategies": Entry("cli.strategies", "Strategies that bots can be made of: list, show."),
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
        # Into a pipe, a summary is one line: click would break it after 80 columns.
        context_settings={} if sys.stdout.isatty() else {"terminal_width": WIDE},
    )

    @app.callback()
    def _root(
        *,
        _version: Annotated[  # it prints and ends before any command is looked for
            bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version.")
        ] = False,
    ) -> None:
        """Gantry: the control plane for fleets of autonomous futures bots."""

    for name, entry in COMMANDS.items():
        app.command(name, short_help=entry.summary)(_never_called)
    return typer.main.get_command(app)


def _print_version(asked: bool) -> None:
    """Print the package's version, and that of the code that decides numbers."""
    if not asked:
        return
    from importlib.metadata import version

    from services.code_version import code_version

    sys.stdout.write(f"gantry {version('gantry')} (code {code_version()})\n")
    raise typer.Exit


def _never_called() -> None:
    """Provide the line in the overview; `main` hands a known name to its own application before this is reached."""


if __name__ == "__main__":
    main()
