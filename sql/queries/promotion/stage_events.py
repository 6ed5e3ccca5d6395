"""Reads of stage events: the audit of every change of stage."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from sql.queries.paging import After, Page, newest_page
from sql.tables.bots import BotStageEvent


def page_stage_events(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Page[BotStageEvent, After]:
    """Return a page of a bot's stage events, newest first."""
    query = select(BotStageEvent).where(BotStageEvent.bot_id == bot_id)
    return newest_page(session, query, (BotStageEvent.created_at, BotStageEvent.id), after=after, limit=limit)
