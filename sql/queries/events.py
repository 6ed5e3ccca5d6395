"""Reads of the activity feed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from sql.queries.paging import After
from sql.tables.events import Activity


def page_activity(session: Session, *, bot_id: UUID | None, after: After | None, limit: int) -> Sequence[Activity]:
    """Return a page of the feed, newest first, with one row more when there is a next page."""
    query = select(Activity)
    if bot_id is not None:
        query = query.where(Activity.bot_id == bot_id)
    if after is not None:
        query = query.where(tuple_(Activity.created_at, Activity.id) < (after.created_at, after.id))
    return session.scalars(query.order_by(Activity.created_at.desc(), Activity.id.desc()).limit(limit + 1)).all()
