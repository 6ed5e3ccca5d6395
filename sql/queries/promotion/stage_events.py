"""Reads of stage events: the audit of every change of stage."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from sql.queries.paging import After
from sql.tables.bots import BotStageEvent


def page_stage_events(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Sequence[BotStageEvent]:
    """Return a page of a bot's stage events, newest first, with one row more when there is a next page."""
    query = select(BotStageEvent).where(BotStageEvent.bot_id == bot_id)
    if after is not None:
        query = query.where(tuple_(BotStageEvent.created_at, BotStageEvent.id) < (after.created_at, after.id))
    return session.scalars(
        query.order_by(BotStageEvent.created_at.desc(), BotStageEvent.id.desc()).limit(limit + 1)
    ).all()
