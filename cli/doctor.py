"""`gantry doctor`: whether this machine, this installation and this data folder are fit to run, and the data sound."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import print_json, say
from cli.database import database
from cli.doctor_checks import CheckStatus, DoctorCheck, all_checks
from cli.options import AsJson

app = typer.Typer(add_completion=False)

COLOURS = {CheckStatus.OK: "green", CheckStatus.FAIL: "bold red", CheckStatus.NOT_CHECKED: "yellow"}


@app.command()
def doctor(
    as_json: AsJson = False,
    invariants: Annotated[
        bool, typer.Option("--invariants", help="Check the invariants of jobs, results and stages instead.")
    ] = False,
) -> None:
    """Check Python, packages, disk, ports, database, migrations and bars; exits 1 when one fails."""
    from core.settings import get_settings

    if invariants:
        check_data(as_json=as_json)
        return
    checks = all_checks(get_settings())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        show(checks)
    if any(check.verdict is CheckStatus.FAIL for check in checks):
        raise SystemExit(1)


def check_data(*, as_json: bool) -> None:
    """Check every invariant over the database and print a line for each; exits 1 when one is violated.

    Read-only: it can run while the fleet is working.
    """
    from services.proof.invariants import INVARIANTS, check_invariants, invariant_lines

    with database() as session:
        violations = check_invariants(session)
    by_name = {name: [one for one in violations if one.invariant == name] for name in INVARIANTS}
    if as_json:
        print_json(
            [
                {
                    "invariant": name,
                    "rule": INVARIANTS[name],
                    "verdict": CheckStatus.FAIL if found else CheckStatus.OK,
                    "violations": [{"message": one.message, "facts": one.facts} for one in found],
                }
                for name, found in by_name.items()
            ]
        )
    else:
        for line in invariant_lines(violations):
            say(line)
    if violations:
        raise SystemExit(1)


def show(checks: Sequence[DoctorCheck]) -> None:
    """Print the checks as a table."""
    from rich.table import Table
    from rich.text import Text

    from cli.tables import print_table

    table = Table(title="gantry doctor")
    for column in ("check", "verdict", "observed", "fix"):
        table.add_column(column)
    for check in checks:
        table.add_row(check.name, Text(check.verdict, style=COLOURS[check.verdict]), check.observed, check.fix)
    print_table(table)
