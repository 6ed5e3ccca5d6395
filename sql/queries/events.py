"""Reads of the activity feed."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from sql.queries.paging import After, Page, newest_page
from sql.tables.events import Activity


def page_activity(session: Session, *, bot_id: UUID | None, after: After | None, limit: int) -> Page[Activity, After]:
    """Return a page of the feed, newest first."""
    query = select(Activity)
    if bot_id is not None:
        query = query.where(Activity.bot_id == bot_id)
    return newest_page(session, query, (Activity.created_at, Activity.id), after=after, limit=limit)
