"""`gantry jobs`: list, show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import note, print_json, say
from cli.database import bot_id_of, database
from cli.options import AsJson
from core.errors import invalid

if TYPE_CHECKING:
    from datetime import datetime

app = typer.Typer(add_completion=False, help="Jobs: list, show with the ledger.", no_args_is_help=True)


@app.command("list")
def list_jobs(
    bot: Annotated[str | None, typer.Option(help="Only of this bot: its id or name.")] = None,
    status: Annotated[str | None, typer.Option(help="QUEUED, RUNNING, COMPLETED, FAILED, TIMEOUT or CANCELED.")] = None,
    limit: Annotated[int, typer.Option(help="How many, up to 1,000.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    from cli.jobs_shown import show_jobs
    from services.jobs.history import newest_jobs
    from shapes.jobs import FleetJobBody

    with database() as session:
        jobs = newest_jobs(session, bot_id=None if bot is None else bot_id_of(session, bot), status=status, limit=limit)
    if as_json:
        print_json([FleetJobBody.model_validate(job) for job in jobs])
    elif jobs:
        show_jobs(jobs)
    else:
        say("No matching jobs.")
    if len(jobs) == limit:
        note(f"These are the newest {limit:,} jobs; a larger --limit may show more.")


@app.command()
def show(job: Annotated[str, typer.Argument(metavar="ID", help="A job's id.")], as_json: AsJson = False) -> None:
    """Show one job with its ledger: every state it was in, when and why."""
    from uuid import UUID

    from services.jobs.history import history_of
    from shapes.jobs import JobHistoryBody

    try:
        job_id = UUID(job)
    except ValueError:
        raise invalid(f"{job!r} is not a job id.", fix="List job ids with `gantry jobs list`.", field="id") from None
    with database() as session:
        found = history_of(session, job_id)
    if as_json:
        print_json(JobHistoryBody.model_validate(found))
        return
    for name in found.job.__dataclass_fields__:
        value = getattr(found.job, name)
        say(f"{name:20}{'-' if value is None else value}")
    for line in found.ledger:
        say(f"  {_when(line.created_at)}  {line.from_status or 'new':>9} -> {line.to_status:9}  {line.reason_code}")


def _when(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S.%f}Z"
