"""A bot is stored with all that belongs to it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.closed_sets import TradeSource
from sql.tables.bots import BotBoundary, BotStageEvent, BotVersion
from tests.factories.bots import make_bot


def test_a_bot_is_created_with_its_version_boundaries_and_stage_event(session: Session) -> None:
    bot = make_bot(session)
    assert session.get_one(BotVersion, bot.current_version_id).number == 1
    boundaries = session.scalars(select(BotBoundary).where(BotBoundary.bot_id == bot.id)).all()
    assert {(boundary.source, boundary.epoch) for boundary in boundaries} == {(source, 0) for source in TradeSource}
    [created] = session.scalars(select(BotStageEvent).where(BotStageEvent.bot_id == bot.id))
    assert (created.from_stage, created.to_stage) == (None, "LAB")
