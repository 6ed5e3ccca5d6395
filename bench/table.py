"""A benchmark's rows, printed as a small table and written as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `ratio` compares two things measured in the same run; `met` is None without a target."""

    name: str
    figure: str
    ratio: float | None
    target: str
    met: bool | None


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print the rows."""
    table = Table(title=title)
    for column in ("benchmark", "figure", "ratio", "target", "met"):
        table.add_column(column, justify="left" if column in {"benchmark", "target"} else "right")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:,.2f}"
        met = {None: "", True: "yes", False: "NO"}[row.met]
        table.add_row(row.name, row.figure, ratio, row.target, met)
    Console().print(table)


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as a JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
