"""`gantry bots` create, starter-pack."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.actor import OPERATOR
from cli.bots.app import app
from cli.console import print_json, say
from cli.database import database
from cli.options import AsJson, parameters_of
from core.words import counted


@app.command()
def create(  # noqa: PLR0913 - one option for each thing a bot is made of
    name: Annotated[str, typer.Argument(help="1 to 100 characters, unique.")],
    *,
    symbol: Annotated[str, typer.Option(help="Such as ES or 6E.")],
    strategy: Annotated[str, typer.Option(help="Such as sma_cross.")],
    timeframe: Annotated[str, typer.Option(help="1m, 5m, 15m, 30m, 1h or 1d.")] = "1m",
    param: Annotated[list[str] | None, typer.Option(metavar="K=V", help="A parameter; may be repeated.")] = None,
    slippage_ticks: Annotated[int | None, typer.Option(help="Slippage in ticks.")] = None,
    commission: Annotated[str | None, typer.Option(help="USD per contract and side.")] = None,
    contracts: Annotated[int | None, typer.Option(help="Contracts per entry.")] = None,
    start: Annotated[str | None, typer.Option(help='First month to grade on, "YYYY-MM".')] = None,
    end: Annotated[str | None, typer.Option(help='Last month to grade on, "YYYY-MM".')] = None,
    as_json: AsJson = False,
) -> None:
    """Create a bot in LAB. Its first backtest is queued automatically."""
    from core.clock import utc_now
    from services.bots.create import NewBot, create_bot
    from services.bots.read import get_bot
    from shapes.bots import BotDetailBody

    costs = {"slippage_ticks": slippage_ticks, "commission_usd": commission, "contracts": contracts}
    new = NewBot(
        name=name,
        symbol=symbol,
        strategy=strategy,
        timeframe=timeframe,
        params=parameters_of(param or []),
        costs={key: value for key, value in costs.items() if value is not None},
        window_start=start,
        window_end=end,
    )
    with database() as session:
        bot_id = create_bot(session, new, actor=OPERATOR, now=utc_now())
        view = get_bot(session, bot_id, now=utc_now())
    if as_json:
        print_json(BotDetailBody.whole(view))
    else:
        say(f"Created {view.name}: {view.id}")


@app.command("starter-pack")
def starter_pack(
    symbol: Annotated[list[str] | None, typer.Option(help="Only this symbol; may be repeated.")] = None,
    count: Annotated[int | None, typer.Option(help="Number of bots in the pack, 20 by default, up to 1,000.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create the starter bots that are missing, each with a baseline backtest."""
    from core.clock import utc_now
    from core.settings import get_settings
    from services.starter.pack import create_starter_pack, whole_pack
    from shapes.starter import StarterPackBody

    now = utc_now()
    with database() as session:
        pack = create_starter_pack(
            session,
            symbols=symbol or None,
            count=count,
            actor=OPERATOR,
            now=now,
            max_attempts=get_settings().max_attempts,
        )
        whole = whole_pack(session, pack, now=now)
    if as_json:
        print_json(StarterPackBody.model_validate(whole))
    else:
        bots, baselines = counted(pack.made_bots, "bot"), counted(pack.made_jobs, "baseline")
        say(f"{bots} created, {baselines} queued; the pack has {counted(len(pack.bots), 'bot')}.")
