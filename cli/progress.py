"""Bars of progress on standard error, so that standard output holds the result alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Shown = Callable[[str, int, int], None]  # what, how many are done, of how many


@contextmanager
def progress_bars(*, transient: bool = False) -> Iterator[Progress]:
    """Show bars while work goes on; transient ones are gone at its end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(file=sys.stderr)  # this very stream, also while Dagster's lines go to a log
    with Progress(
        *columns, console=console, transient=transient, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        yield progress


@contextmanager
def shown_progress() -> Iterator[Shown]:
    """Show the one bar of bars that are read or fetched."""
    with progress_bars(transient=True) as progress:
        yield bars_of(progress)


def bars_of(progress: Progress) -> Shown:
    """Add the bar of bars that are read, imported or made."""
    task = progress.add_task("Bars", total=None)
    return lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
