"""`gantry bots` trades, equity, improvements, versions: what a bot did and how it came to be what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.bots.app import app
from cli.console import print_json, say
from cli.database import bot_id_of, database
from cli.options import AsJson, OneBot
from cli.pages import All, first_rows, note_cut
from core.errors import invalid

if TYPE_CHECKING:
    from uuid import UUID

OneSession = Annotated[
    str | None, typer.Option("--session", metavar="ID", help="Of this backtest; by default the one its metrics are of.")
]
NO_BACKTEST = "{} has no completed backtest since its last reset."


@app.command()
def trades(
    bot: OneBot,
    *,
    session_id: OneSession = None,
    limit: Annotated[int, typer.Option(help="How many.")] = 100,
    every: All = False,
    as_json: AsJson = False,
) -> None:
    """List the trades of one backtest, newest first."""
    from cli.bots.results_shown import show_trades
    from services.backtests.results import page_trades
    from shapes.backtests import TradeBody

    chosen = _id_of(session_id)
    with database() as session:
        bot_id = bot_id_of(session, bot)
        rows = first_rows(
            lambda after, size: page_trades(session, bot_id, session_id=chosen, after=after, limit=size).page,
            None if every else limit,
        )
    if as_json:
        print_json([TradeBody.model_validate(row) for row in rows.shown])
    elif rows.shown:
        show_trades(rows.shown)
    else:
        say(f"There are no trades: {NO_BACKTEST.format(bot)}" if chosen is None else "That backtest has no trades.")
    note_cut(rows, "trades")


@app.command()
def equity(
    bot: OneBot,
    *,
    session_id: OneSession = None,
    limit: Annotated[int, typer.Option(help="How many days.")] = 1_000,
    every: All = False,
    as_json: AsJson = False,
) -> None:
    """List the equity of one backtest by trading day, oldest first."""
    from cli.bots.results_shown import show_equity
    from services.backtests.results import page_equity
    from shapes.backtests import EquityBody

    chosen = _id_of(session_id)
    with database() as session:
        bot_id = bot_id_of(session, bot)
        rows = first_rows(
            lambda after, size: page_equity(session, bot_id, session_id=chosen, after=after, limit=size).page,
            None if every else limit,
        )
        shown = [EquityBody.model_validate(row) for row in rows.shown]
    if as_json:
        print_json(shown)
    elif shown:
        show_equity(shown)
    else:
        say(f"There is no equity: {NO_BACKTEST.format(bot)}" if chosen is None else "That backtest has no days.")
    note_cut(rows, "days")


@app.command()
def improvements(
    bot: OneBot,
    *,
    limit: Annotated[int, typer.Option(help="How many.")] = 50,
    every: All = False,
    as_json: AsJson = False,
) -> None:
    """List a bot's improvements, newest first: old and new net P&L, the verdict and its reason."""
    from cli.bots.results_shown import show_improvements
    from services.improve.read import page_improvements
    from shapes.backtests import ImprovementBody

    with database() as session:
        bot_id = bot_id_of(session, bot)
        rows = first_rows(
            lambda after, size: page_improvements(session, bot_id, after=after, limit=size), None if every else limit
        )
    if as_json:
        print_json([ImprovementBody.model_validate(row) for row in rows.shown])
    elif rows.shown:
        show_improvements(rows.shown)
    else:
        say(f"{bot} has no improvements yet.")
    note_cut(rows, "improvements")


@app.command()
def versions(
    bot: OneBot,
    *,
    limit: Annotated[int, typer.Option(help="How many.")] = 50,
    every: All = False,
    as_json: AsJson = False,
) -> None:
    """List a bot's versions, newest first: what each is made of, where it came from, and its metrics."""
    from cli.bots.results_shown import show_versions
    from services.bots.versions import page_versions
    from shapes.versions import VersionBody

    with database() as session:
        bot_id = bot_id_of(session, bot)
        rows = first_rows(
            lambda after, size: page_versions(session, bot_id, after=after, limit=size), None if every else limit
        )
    if as_json:
        print_json([VersionBody.model_validate(row) for row in rows.shown])
    else:
        show_versions(rows.shown)
    note_cut(rows, "versions")


def _id_of(text: str | None) -> UUID | None:
    from uuid import UUID

    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise invalid(
            f"{text!r} is not an id of a backtest.",
            fix="Take one from `gantry bots versions` or from GET /api/bots/{id}/backtests.",
            field="session",
        ) from None
