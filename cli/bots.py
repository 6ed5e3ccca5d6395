"""`gantry bots`: list, show, create, starter-pack, archive, lineage; stage changes are in `cli.promotion`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.actor import OPERATOR
from cli.console import print_json, say
from cli.database import bot_id_of, database
from cli.options import AsJson, OneBot, member_of, parameters_of

app = typer.Typer(add_completion=False, help="Bots: list, show, create, promote, archive.", no_args_is_help=True)


@app.command("list")
def list_bots(
    stage: Annotated[str | None, typer.Option(help="LAB, PAPER, SHADOW, CANARY or LIVE.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only bots of this symbol.")] = None,
    as_json: AsJson = False,
) -> None:
    """List all bots, newest first."""
    from cli.bots_shown import show_bots
    from core.clock import utc_now
    from fleet.bot_filter import BotFilter
    from fleet.closed_sets import Stage
    from services.bots.read import all_bots
    from shapes.bots import BotBody

    which = BotFilter(None if stage is None else member_of(Stage, stage, field="stage"), symbol)
    with database() as session:
        bots = all_bots(session, which, now=utc_now())
    if as_json:
        print_json([BotBody.of(bot) for bot in bots])
    elif bots:
        show_bots(bots)
    else:
        say("There are no bots. Make one with `gantry bots create`.")


@app.command()
def show(bot: OneBot, as_json: AsJson = False) -> None:
    """Show one bot: its configuration, metrics, score and blockers."""
    from cli.bots_shown import show_bot
    from core.clock import utc_now
    from services.bots.read import get_bot
    from shapes.bots import BotDetailBody

    with database() as session:
        view = get_bot(session, bot_id_of(session, bot), now=utc_now())
    if as_json:
        print_json(BotDetailBody.whole(view))
    else:
        show_bot(view)


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
        say(f"{pack.made_bots} bots created, {pack.made_jobs} baselines queued; the pack has {len(pack.bots)} bots.")


@app.command()
def archive(bot: OneBot, as_json: AsJson = False) -> None:
    """Archive a bot and cancel its job. Its results stay."""
    from core.clock import utc_now
    from services.bots.change import archive_bot
    from services.bots.read import get_bot
    from shapes.bots import BotDetailBody

    now = utc_now()
    with database() as session:
        bot_id = bot_id_of(session, bot)
        archive_bot(session, bot_id, actor=OPERATOR, now=now)
        view = get_bot(session, bot_id, now=now)
    if as_json:
        print_json(BotDetailBody.whole(view))
    else:
        say(f"Archived {bot}.")


@app.command()
def lineage(bot: OneBot, as_json: AsJson = False) -> None:
    """Show where a bot's score comes from, back to the hash of the bars' file."""
    from cli.demo.table import chain_lines
    from services.backtests.lineage import lineage_of_score
    from shapes.backtests import LineageBody

    with database() as session:
        chain = lineage_of_score(session, bot_id_of(session, bot))
    if as_json:
        print_json(LineageBody.model_validate(chain))
        return
    for line in chain_lines(chain):
        say(line)
