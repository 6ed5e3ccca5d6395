"""`gantry doctor`: whether this machine, this installation and this data folder are fit to run."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import print_json
from cli.doctor_checks import Check, Verdict, all_checks

app = typer.Typer(add_completion=False)

COLOURS = {Verdict.OK: "green", Verdict.FAIL: "bold red", Verdict.NOT_CHECKED: "yellow"}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check Python, packages, disk, ports, database, migrations and bars; exits 1 when one fails."""
    from core.settings import get_settings

    checks = all_checks(get_settings())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        show(checks)
    if any(check.verdict is Verdict.FAIL for check in checks):
        raise SystemExit(1)


def show(checks: Sequence[Check]) -> None:
    """Print the checks as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="gantry doctor")
    for column in ("check", "verdict", "observed", "fix"):
        table.add_column(column)
    for check in checks:
        table.add_row(check.name, Text(check.verdict, style=COLOURS[check.verdict]), check.observed, check.fix)
    Console().print(table)
