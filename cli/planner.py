"""`gantry autonomy`: show, bots, tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.actor import OPERATOR
from cli.console import print_json, say
from cli.database import bot_id_of, connected, database
from cli.options import AsJson
from cli.pages import first_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cli.pages import Rows
    from services.planner.ticks import DecisionRow


app = typer.Typer(
    add_completion=False, help="What the planner did, and why a bot has no job: show, bots, tick.", no_args_is_help=True
)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show the planner's last tick, how many bots got no job and why, and the state of every loop."""
    from core.settings import get_settings
    from fleet.loops import loops
    from services.planner.status import NO_TICK, scheduler_status
    from shapes.planner import AutonomyBody

    with database() as session:
        status = scheduler_status(session, loops(get_settings().planner_tick_seconds))
    if as_json:
        print_json(AutonomyBody.of(status))
        return
    from cli.planner_shown import show_loops, show_tick

    if status.last_run is None:
        say(NO_TICK)
    else:
        show_tick(status.last_run)
    show_loops(status)


@app.command()
def bots(
    reason: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only with this reason, such as BACKOFF or CAP_REACHED_TYPE.")
    ] = None,
    bot: Annotated[str | None, typer.Option(help="All decisions about this bot, by id or name, newest first.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the last decision about each bot: why it got a job, or why not."""
    from shapes.planner import DecisionBody

    with database() as session:
        found = _decisions(session, bot, reason)
    if as_json:
        print_json([DecisionBody.of(row) for row in found])
    elif found:
        from cli.planner_shown import show_decisions

        show_decisions(found)
    else:
        say("No matching decisions.")


@app.command()
def tick(as_json: AsJson = False) -> None:
    """Run a planner tick now; one also runs automatically every few seconds."""
    from core.errors import ErrorCode, GantryError, Kind
    from core.settings import get_settings
    from fleet.closed_sets import TickCause
    from services.planner.terms import planner_terms_of
    from services.planner.tick import run_tick

    settings = get_settings()
    with connected(settings) as tx:
        made = run_tick(tx, planner_terms_of(settings), cause=TickCause.PERSON, actor=OPERATOR)
    if made is None:
        raise GantryError(
            ErrorCode.CONFLICT,
            "Another planner tick is running.",
            fix="No action needed: `gantry autonomy show` shows its result.",
            kind=Kind.CONFLICT,
        )
    if as_json:
        counts = {"jobs_enqueued": made.jobs_enqueued, "decisions_changed": made.decisions_changed}
        print_json({"id": made.id, **counts, "summary": made.summary})
    else:
        say(f"{made.summary['bots_evaluated']} bots evaluated, {made.jobs_enqueued} jobs queued (tick {made.id}).")


def _decisions(session: Session, bot: str | None, reason: str | None) -> list[DecisionRow]:
    from services.planner.ticks import page_decisions

    bot_id = None if bot is None else bot_id_of(session, bot)
    rows: Rows[DecisionRow] = first_rows(
        lambda after, size: page_decisions(session, bot_id=bot_id, reason=reason, after=after, limit=size), None
    )
    return rows.shown
