"""How `gantry jobs` shows jobs: a table."""

from collections.abc import Sequence

from cli.tables import print_table, table_of
from services.jobs.history import JobLine

COLUMNS = ("job", "bot", "type", "kind", "status", "attempt", "created", "seconds", "why")


def show_jobs(jobs: Sequence[JobLine]) -> None:
    """Print a table of jobs."""
    table = table_of(COLUMNS, right=("attempt", "seconds"), wrapped=("why",))
    for job in jobs:
        table.add_row(*_cells(job))
    print_table(table)


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
