"""`gantry bots` promote, demote, gates: a bot's way through the stages."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.actor import caller
from cli.bots.app import app
from cli.console import print_json, say
from cli.database import bot_id_of, database, trial
from cli.options import AsJson, DryRun, OneBot


@app.command()
def promote(bot: OneBot, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Promote a bot by one stage; a refusal lists the gates that aren't met. CANARY and LIVE need the API's token."""
    from core.clock import utc_now
    from services.bots.read import get_bot
    from services.promotion.decide import promote as promote_bot
    from shapes.promotion import PromotionBody

    now = utc_now()
    with database() as session, trial(session, dry_run=dry_run):
        bot_id = bot_id_of(session, bot)
        done = promote_bot(session, bot_id, by=caller(), now=now, development=_development())
        view = get_bot(session, bot_id, now=now)
    if as_json:
        print_json(PromotionBody.of(view, done))
    else:
        say(f"{view.name} {'would be' if dry_run else 'is now'} in {done.to}: all {len(done.gates)} gates are met.")


@app.command()
def demote(
    bot: OneBot,
    *,
    reason: Annotated[str | None, typer.Option(help="Reason code of the audit row.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Demote a bot by one stage; from then on it is promoted manually only."""
    from core.clock import utc_now
    from services.bots.read import get_bot
    from services.promotion.decide import DEMOTED
    from services.promotion.decide import demote as demote_bot
    from shapes.bots import BotDetailBody

    now = utc_now()
    with database() as session, trial(session, dry_run=dry_run):
        bot_id = bot_id_of(session, bot)
        stage = demote_bot(session, bot_id, by=caller(), now=now, reason_code=reason or DEMOTED)
        view = get_bot(session, bot_id, now=now)
    if as_json:
        print_json(BotDetailBody.whole(view))
    else:
        say(f"{view.name} {'would be' if dry_run else 'is now'} in {stage}.")


@app.command()
def gates(bot: OneBot, as_json: AsJson = False) -> None:
    """Show the gates before a bot's next stage: observed value, limit and reason."""
    from core.clock import utc_now
    from services.promotion.read import gates_of
    from shapes.promotion import NextGatesBody

    now = utc_now()
    with database() as session:
        found = gates_of(session, bot_id_of(session, bot), now=now, development=_development())
    if as_json:
        print_json(NextGatesBody.of(found))
        return
    if found.to is None:
        say(f"{bot} is in {found.stage}: there is no further stage.")
        return
    say(f"{bot} is in {found.stage}; before {found.to}:")
    for gate in found.gates:
        say(f"  {'met    ' if gate.met else 'NOT MET'} {gate.name:17} {gate.sentence}")
    if found.stage_locked_until is not None and found.stage_locked_until > now:
        say(f"  The stage is locked until {found.stage_locked_until:%Y-%m-%d %H:%M} UTC.")


def _development() -> bool:
    from core.settings import AppEnv, get_settings

    return get_settings().app_env is AppEnv.DEVELOPMENT
