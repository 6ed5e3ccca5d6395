"""`gantry bots` trades, equity, improvements, versions: what a bot did and how it came to be what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.bots.app import app
from cli.console import print_json, say
from cli.database import bot_id_of, database
from cli.options import AsJson, OneBot
from cli.pages import All, first_rows, note_cut
from core.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from cli.pages import ReadPage
    from shapes.base import Model

OneSession = Annotated[
    str | None, typer.Option("--session", metavar="ID", help="Of this backtest; by default the one its metrics are of.")
]
Limit = Annotated[int, typer.Option(help="How many.")]


@app.command()
def trades(
    bot: OneBot, *, session_id: OneSession = None, limit: Limit = 100, every: All = False, as_json: AsJson = False
) -> None:
    """List the trades of one backtest, newest first."""
    from cli.bots.results_shown import show_trades
    from services.backtests.results import page_trades
    from shapes.backtests import TradeBody

    chosen = _id_of(session_id)
    _list(
        bot,
        lambda session, bot_id, after, limit: (
            page_trades(session, bot_id, session_id=chosen, after=after, limit=limit).page
        ),
        TradeBody,
        None if as_json else show_trades,
        limit=None if every else limit,
        one="trade",
    )


@app.command()
def equity(
    bot: OneBot, *, session_id: OneSession = None, limit: Limit = 1_000, every: All = False, as_json: AsJson = False
) -> None:
    """List the equity of one backtest by trading day, oldest first."""
    from cli.bots.results_shown import show_equity
    from services.backtests.results import page_equity
    from shapes.backtests import EquityBody

    chosen = _id_of(session_id)
    _list(
        bot,
        lambda session, bot_id, after, limit: (
            page_equity(session, bot_id, session_id=chosen, after=after, limit=limit).page
        ),
        EquityBody,
        None if as_json else show_equity,
        limit=None if every else limit,
        one="day of equity",
        many="days of equity",
    )


@app.command()
def improvements(bot: OneBot, *, limit: Limit = 50, every: All = False, as_json: AsJson = False) -> None:
    """List a bot's improvements, newest first: old and new P&L, an open position included, and the verdict."""
    from cli.bots.results_shown import show_improvements
    from services.improve.read import page_improvements
    from shapes.backtests import ImprovementBody

    show = None if as_json else show_improvements
    _list(bot, page_improvements, ImprovementBody, show, limit=None if every else limit, one="improvement")


@app.command()
def versions(bot: OneBot, *, limit: Limit = 50, every: All = False, as_json: AsJson = False) -> None:
    """List a bot's versions, newest first: what each is made of, where it came from, and its metrics."""
    from cli.bots.results_shown import show_versions
    from services.bots.versions import page_versions
    from shapes.versions import VersionBody

    show = None if as_json else show_versions
    _list(bot, page_versions, VersionBody, show, limit=None if every else limit, one="version")


def _list(
    bot: str,
    read: Callable[..., ReadPage],
    shape: type[Model],
    show: Callable[[Sequence[Any]], None] | None,
    *,
    limit: int | None,
    one: str,
    many: str = "",
) -> None:
    """Print one list of a bot. read: a page of it; show: prints its shapes as a table, None for JSON."""
    with database() as session:
        bot_id = bot_id_of(session, bot)
        rows = first_rows(lambda after, size: read(session, bot_id, after=after, limit=size), limit)
        shapes = [shape.model_validate(row) for row in rows.shown]
    if show is None:
        print_json(shapes)
    elif shapes:
        show(shapes)
    else:
        say(f"{bot} has no {many or f'{one}s'} to show.")
    note_cut(rows, one, many)


def _id_of(text: str | None) -> UUID | None:
    from uuid import UUID

    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise invalid(
            f"{text!r} is not an id of a backtest.",
            fix="Take one from `gantry bots trades --json` or from GET /api/bots/{id}/backtests.",
            field="session",
        ) from None
