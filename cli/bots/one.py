"""`gantry bots` show, lineage, archive: one bot, which may be archived already."""

from __future__ import annotations

from cli.actor import OPERATOR
from cli.bots.app import app
from cli.console import print_json, say
from cli.database import bot_id_of, database, trial
from cli.options import AsJson, DryRun, OneBot


@app.command()
def show(bot: OneBot, as_json: AsJson = False) -> None:
    """Show one bot: its configuration, metrics, score and blockers."""
    from cli.bots.shown import show_bot
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
def archive(bot: OneBot, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Archive a bot and cancel its job. Its results stay."""
    from core.clock import utc_now
    from services.bots.change import archive_bot
    from services.bots.read import get_bot
    from shapes.bots import BotDetailBody

    now = utc_now()
    with database() as session, trial(session, dry_run=dry_run):
        bot_id = bot_id_of(session, bot)
        job = get_bot(session, bot_id, now=now).bot_now.active_job
        archive_bot(session, bot_id, actor=OPERATOR, now=now)
        view = get_bot(session, bot_id, now=now)
    if as_json:
        print_json(BotDetailBody.whole(view))
    else:
        would = ("would be archived", "would be canceled") if dry_run else ("is archived", "was canceled")
        say(f"{view.name} {would[0]}." + (f" Its job {job.id} {would[1]}." if job else ""))


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
