"""A bot's jobs."""

from uuid import UUID

from fastapi import APIRouter

from api.actor import Reader
from api.cursors import Cursor, ListKey, limited
from api.database import Db
from api.envelope import ListOf, responses
from api.paging import Limit, after_of, list_of
from services.jobs.read import page_jobs
from shapes.jobs import JobBody

router = APIRouter(prefix="/api/bots/{bot_id}/jobs", tags=["jobs"])
MAX_LIMIT = 200


@router.get("", responses=responses(400, 404))
def list_jobs(_actor: Reader, session: Db, bot_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> ListOf[JobBody]:
    """List a bot's jobs, newest first."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("jobs:created_at desc", {"bot": bot_id})
    page = page_jobs(session, bot_id, after=after_of(listing, cursor), limit=size)
    return list_of(page, JobBody.model_validate, listing, size)
