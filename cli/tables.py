"""Tables for a person: a terminal's width where there is one; into a file or a pipe whole, whatever their width."""

import sys
from collections.abc import Collection, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

UNLIMITED = 1_000_000  # columns of what goes into a file or a pipe; rich takes it for 80, and cuts


def table_of(columns: Sequence[str], *, right: Collection[str] = (), wrapped: Collection[str] = ()) -> Table:
    """Return an empty table. right: columns of numbers; wrapped: those whose cells may take several lines."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column, justify="right" if column in right else "left", no_wrap=column not in wrapped, overflow="fold"
        )
    return table


def print_table(table: Table) -> None:
    """Print it."""
    _console().print(table)


def _console() -> Console:
    """Return the console for results. Brackets and colons in a name are text, not markup or emoji."""
    width = None if sys.stdout.isatty() else UNLIMITED
    return Console(width=width, markup=False, emoji=False, highlight=False)
