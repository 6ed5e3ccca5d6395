"""Proof of what ran."""

from fastapi import APIRouter, Request

from api.actor import Reader
from api.cursors import Cursor, Listing, limited
from api.database import Db
from api.envelope import responses
from api.paging import Limit, after_of, page_after
from api.schemas.proof import JobsProofReply
from services import proof

router = APIRouter(prefix="/api/_proof", tags=["proof"])
MAX_LIMIT = 200


@router.get("/jobs", responses=responses(400))
def prove_jobs(
    _actor: Reader, session: Db, request: Request, limit: Limit = 50, cursor: Cursor = None
) -> JobsProofReply:
    """Count all jobs, name those that are stuck, and show each bot's newest one (paged)."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = Listing("last_job_per_bot:bot created_at desc", {})
    settings = request.app.state.settings
    found = proof.of_jobs(
        session, max_job_minutes=settings.max_job_minutes, after=after_of(listing, cursor), limit=size
    )
    return JobsProofReply.of(found, page_after(listing, found.following, size))
