"""How `gantry jobs` shows jobs: a table."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from services.jobs.history import JobLine

WIDE = 200


def show_jobs(jobs: Sequence[JobLine]) -> None:
    """Print a table of jobs; into a file or a pipe it is as wide as it needs to be."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("job", "bot", "type", "kind", "status", "attempt", "created", "seconds", "why"):
        right = column in {"attempt", "seconds"}
        table.add_column(column, justify="right" if right else "left", no_wrap=column != "why", overflow="fold")
    for job in jobs:
        table.add_row(*_cells(job))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=WIDE).print(table)


def _cells(job: JobLine) -> tuple[str, ...]:
    took = (job.completed_at - job.started_at).total_seconds() if job.completed_at and job.started_at else None
    return (
        str(job.id),
        job.bot,
        job.job_type,
        job.kind or "-",
        job.status,
        f"{job.attempt}/{job.max_attempts}",
        f"{job.created_at:%Y-%m-%d %H:%M:%S}Z",
        "-" if took is None else f"{took:.1f}",
        job.error_code or "-",
    )
