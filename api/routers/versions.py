"""A bot's versions."""

from uuid import UUID

from fastapi import APIRouter

from api.actor import Reader
from api.cursors import Cursor, ListKey, as_int, limited
from api.database import Db
from api.envelope import ListOf, responses
from api.paging import Limit, after_key_of, list_of
from services.bots.versions import page_versions
from shapes.versions import VersionBody

router = APIRouter(prefix="/api/bots/{bot_id}/versions", tags=["bots"])
MAX_LIMIT = 200


@router.get("", responses=responses(400, 404))
def list_versions(
    _actor: Reader, session: Db, bot_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> ListOf[VersionBody]:
    """List a bot's versions, newest first: what each is made of, where it came from, and its metrics."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("versions:number desc", {"bot": bot_id})
    page = page_versions(session, bot_id, after=after_key_of(listing, cursor, as_int), limit=size)
    return list_of(page, VersionBody.model_validate, listing, size)
