"""`gantry bots` update, run-backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.actor import OPERATOR
from cli.bots.app import app
from cli.console import print_json, say
from cli.database import bot_id_of, database
from cli.once import IdempotencyKey, once
from cli.options import AsJson, OneBot, member_of, parameters_of
from core.errors import invalid

if TYPE_CHECKING:
    from services.bots.change import BotChange

DEFAULT: Final = "default"  # takes a value back


@app.command()
def update(  # noqa: PLR0913 - one option for each thing that can be changed
    bot: OneBot,
    *,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    timeframe: Annotated[str | None, typer.Option(help="1m, 5m, 15m, 30m, 1h or 1d.")] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A parameter; may be repeated. The others stay.")
    ] = None,
    slippage_ticks: Annotated[str | None, typer.Option(help="Slippage in ticks, or default.")] = None,
    commission: Annotated[str | None, typer.Option(help="USD per contract and side, or default.")] = None,
    contracts: Annotated[str | None, typer.Option(help="Contracts per entry, or default.")] = None,
    start: Annotated[str | None, typer.Option(help='First month to grade on, "YYYY-MM", or default: any.')] = None,
    end: Annotated[str | None, typer.Option(help='Last month to grade on, "YYYY-MM", or default: any.')] = None,
    promotion_mode: Annotated[
        str | None, typer.Option(help="AUTO: the planner promotes it once its gates are met; or MANUAL.")
    ] = None,
    revision: Annotated[
        int | None, typer.Option(help="Change it only if this is still its revision; any revision without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a bot. Changes other than name and promotion mode make a new version, which is graded again."""
    from core.clock import utc_now
    from fleet.closed_sets import PromotionMode
    from services.bots.change import BotChange, change_bot
    from services.bots.read import get_bot
    from shapes.bots import BotDetailBody

    counts = {"slippage_ticks": slippage_ticks, "contracts": contracts}
    costs: dict[str, object] = {key: _whole(key, text) for key, text in counts.items() if text is not None}
    wanted = BotChange(
        name=name,
        timeframe=timeframe,
        params=parameters_of(param) if param else None,
        costs=costs | ({} if commission is None else {"commission_usd": _unless_default(commission)}) or None,
        window={end_: _unless_default(text) for end_, text in (("start", start), ("end", end)) if text is not None}
        or None,
        promotion_mode=None
        if promotion_mode is None
        else member_of(PromotionMode, promotion_mode, field="promotion mode"),
    )
    _require_change(wanted)
    revisions = None if revision is None else frozenset({revision})
    now = utc_now()
    with database() as session:
        bot_id = bot_id_of(session, bot)
        different = change_bot(session, bot_id, wanted, revisions=revisions, actor=OPERATOR, now=now)
        view = get_bot(session, bot_id, now=now)
    if as_json:
        print_json(BotDetailBody.whole(view))
    elif different:
        say(f"Changed {view.name}: revision {view.revision}, version {view.version}.")
    else:
        say(f"{view.name} stays as it is: it has these values already.")


@app.command("run-backtest")
def run_backtest(bot: OneBot, *, key: IdempotencyKey = None, as_json: AsJson = False) -> None:
    """Queue a backtest of a bot; a worker starts it within seconds. A bot has one job at a time."""
    from core.settings import get_settings
    from fleet.closed_sets import BacktestKind
    from services.jobs.enqueue import enqueue_job
    from services.jobs.read import get_job
    from shapes.jobs import JobBody

    with database() as session:
        bot_id = bot_id_of(session, bot)

        def queue() -> dict[str, Any]:
            job_id = enqueue_job(
                session,
                bot_id,
                kind=BacktestKind.MANUAL,
                actor=OPERATOR,
                max_attempts=get_settings().max_attempts,
            )
            return {"job": JobBody.model_validate(get_job(session, job_id)).model_dump(mode="json")}

        route = "/api/bots/{bot_id}/run-backtest"
        path = route.format(bot_id=bot_id)
        reply = once(session, key, route=route, path=path, status=202, work=queue)
    if as_json:
        print_json(reply)
    else:
        say(f"Queued a backtest of {bot}: job {reply['job']['id']}.")


def _require_change(wanted: BotChange) -> None:
    if all(getattr(wanted, name) is None for name in wanted.__slots__):
        raise invalid("Nothing to change.", fix="Give at least one option, such as --name or --param.")


def _unless_default(text: str) -> str | None:
    return None if text == DEFAULT else text


def _whole(name: str, text: str) -> int | None:
    if text == DEFAULT:
        return None
    try:
        return int(text)
    except ValueError:
        option = f"--{name.replace('_', '-')}"
        raise invalid(f"{option} {text!r} is not a whole number.", fix="Give one, or default.", field=name) from None
