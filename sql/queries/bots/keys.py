"""Keys of the fleet's active bots, for Dagster's partitions."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from sql.tables.bots import Bot


def active_bot_ids(session: Session) -> Sequence[UUID]:
    """Return the ids of all bots that aren't archived, oldest first."""
    return session.scalars(select(Bot.id).where(Bot.archived_at.is_(None)).order_by(Bot.created_at, Bot.id)).all()
