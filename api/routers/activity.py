"""The activity feed: what happened to bots."""

from uuid import UUID

from fastapi import APIRouter

from api.actor import Reader
from api.cursors import Cursor, ListKey, limited
from api.database import Db
from api.envelope import ListOf, responses
from api.paging import Limit, after_of, list_of
from services import events
from services.finding import require_bot
from shapes.jobs import ActivityBody

router = APIRouter(tags=["activity"])
MAX_LIMIT = 200


@router.get("/api/activity", responses=responses(400))
def list_activity(
    _actor: Reader, session: Db, limit: Limit = 50, cursor: Cursor = None, bot_id: UUID | None = None
) -> ListOf[ActivityBody]:
    """List the feed, newest first."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("activity:created_at desc", {"bot": bot_id})
    page = events.page_activity(session, bot_id=bot_id, after=after_of(listing, cursor), limit=size)
    return list_of(page, ActivityBody.model_validate, listing, size)


@router.get("/api/bots/{bot_id}/activity", responses=responses(400, 404))
def list_bot_activity(
    _actor: Reader, session: Db, bot_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> ListOf[ActivityBody]:
    """List one bot's part of the feed, newest first."""
    require_bot(session, bot_id)
    return list_activity(_actor, session, limit, cursor, bot_id)
