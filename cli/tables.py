"""Tables for a person; into a file or a pipe as wide as they need to be."""

from collections.abc import Collection, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

WIDE = 200  # columns of a table that goes into a file or a pipe; rich takes it for 80


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
    console = Console()
    (console if console.is_terminal else Console(width=WIDE)).print(table)
