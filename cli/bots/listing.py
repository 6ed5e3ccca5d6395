"""`gantry bots list`: filtered and sorted as in the API, with the number of all bots."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.bots.app import app
from cli.console import note, print_json, say
from cli.database import database
from cli.options import AsJson, OneSymbol, member_of
from cli.pages import first_rows
from fleet.bot_filter import BotFilter, BotSort, order_of


@app.command("list")
def list_bots(  # noqa: PLR0913 - one option for each filter
    *,
    stage: Annotated[str | None, typer.Option(help="LAB, PAPER, SHADOW, CANARY or LIVE.")] = None,
    symbol: OneSymbol = None,
    state: Annotated[str | None, typer.Option(help="What the bot is doing, such as IDLE or BACKTEST_RUNNING.")] = None,
    tier: Annotated[str | None, typer.Option(help="LOCKED, SUPERVISED, LIMITED_AUTONOMY or FULL_AUTONOMY.")] = None,
    label: Annotated[str | None, typer.Option(help="The bars it was graded on: VENDOR, SIMULATED or IMPORTED.")] = None,
    alert: Annotated[
        str | None, typer.Option(help="With an alert of this level (WARN, DEGRADED, BLOCKED) or code.")
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="The archived bots instead of the active ones.")] = False,
    sort: Annotated[
        str, typer.Option(help=f"One of {', '.join(BotSort)}; with a minus in front, descending.")
    ] = "-created_at",
    limit: Annotated[int | None, typer.Option(help="How many are shown at most; all without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List bots, newest first or sorted by a field, with the number of all bots."""
    from core.clock import utc_now
    from fleet.closed_sets import BotState, DataLabel, Stage, Tier
    from services.bots.overview import count_bots
    from services.bots.read import page_bots
    from shapes.bots import BotBody

    which = BotFilter(
        stage=None if stage is None else member_of(Stage, stage, field="stage"),
        symbol=symbol,
        state=None if state is None else member_of(BotState, state, field="state"),
        tier=None if tier is None else member_of(Tier, tier, field="tier"),
        label=None if label is None else member_of(DataLabel, label, field="label"),
        alert=alert,
        archived=archived,
    )
    order, now = order_of(sort), utc_now()
    with database() as session:
        rows = first_rows(lambda after, size: page_bots(session, which, order, after=after, limit=size, now=now), limit)
        matching = count_bots(session, which)
        total = count_bots(session, BotFilter(archived=archived))
    if as_json:
        print_json([BotBody.of(bot) for bot in rows.shown])
    elif total:
        from cli.bots.shown import show_bots

        if rows.shown:
            show_bots(rows.shown)
        say(_summary(which, len(rows.shown), matching, total))
    else:
        say("There are no archived bots." if archived else "There are no bots. Make one with `gantry bots create`.")
    if rows.cut:
        note(f"The list was cut at {len(rows.shown):,} of {matching:,} bots; a larger --limit shows more.")


def _summary(which: BotFilter, shown: int, matching: int, total: int) -> str:
    bots = f"{'archived ' if which.archived else ''}bot{'' if total == 1 else 's'}"
    if shown == total:
        return f"{total:,} {bots}."
    matched = f" ({matching:,} match)" if which.narrows and shown != matching else ""
    return f"{shown:,} of {total:,} {bots}{matched}."
