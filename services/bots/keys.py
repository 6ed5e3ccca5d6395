"""Which bots there are, as keys; the fleet's partitions follow them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import not_found
from sql.queries.bots import keys as key_queries


def active_bots(session: Session) -> tuple[UUID, ...]:
    """Return the ids of all bots that aren't archived, oldest first."""
    return tuple(key_queries.active_bot_ids(session))


def require_active_bots(session: Session, bot_ids: Sequence[UUID]) -> None:
    """See that each id is an active bot's.

    Raises:
        GantryError: NOT_FOUND, naming the first that isn't.

    """
    known = set(key_queries.active_bot_ids(session))
    for bot_id in bot_ids:
        if bot_id not in known:
            raise not_found("active bot", bot_id, fix="List them: gantry bots list.")
