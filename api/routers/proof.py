"""Proof of what was planned and of what ran."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from api.actor import Reader
from api.cursors import Cursor, ListKey, limited
from api.database import Db
from api.envelope import ListOf, responses
from api.paging import Limit, after_of, list_of, page_body
from api.schemas.planner import AutonomyProofReply
from api.schemas.proof import JobsProofReply
from fleet.closed_sets import DueReason, NotEnqueued, NotStarted
from services.planner.ticks import page_decisions
from services.proof.autonomy import autonomy_proof
from services.proof.jobs import jobs_proof
from shapes.planner import DecisionBody

router = APIRouter(prefix="/api/_proof", tags=["proof"])
MAX_LIMIT = 200
Reason = Annotated[
    DueReason | NotEnqueued | NotStarted | None,
    Query(description="Only decisions with this code: why planned, why not, or why it can't start."),
]


@router.get("/jobs", responses=responses(400))
def prove_jobs(
    _actor: Reader, session: Db, request: Request, limit: Limit = 50, cursor: Cursor = None
) -> JobsProofReply:
    """Count all jobs, name those that are stuck, and show each bot's newest one (paged)."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("last_job_per_bot:bot created_at desc", {})
    settings = request.app.state.settings
    found = jobs_proof(session, max_job_minutes=settings.max_job_minutes, after=after_of(listing, cursor), limit=size)
    return JobsProofReply.of(found, page_body(found.last_job_per_bot, listing, size))


@router.get("/autonomy")
def prove_autonomy(_actor: Reader, session: Db) -> AutonomyProofReply:
    """Show the planner's newest ticks: what each found, planned and left, and why."""
    return AutonomyProofReply.of(autonomy_proof(session))


@router.get("/autonomy/decisions", responses=responses(400, 404))
def list_decisions(
    _actor: Reader,
    session: Db,
    limit: Limit = 50,
    cursor: Cursor = None,
    bot_id: Annotated[UUID | None, Query(description="All decisions about this bot, newest first.")] = None,
    reason: Reason = None,
) -> ListOf[DecisionBody]:
    """List each bot's newest decision, newest bot first; or those of one bot, newest first."""
    size = limited(limit, maximum=MAX_LIMIT)
    name = "decisions:bot created_at desc" if bot_id is None else "decisions:created_at desc"
    listing = ListKey(name, {"bot": bot_id, "reason": reason})
    page = page_decisions(session, bot_id=bot_id, reason=reason, after=after_of(listing, cursor), limit=size)
    return list_of(page, DecisionBody.of, listing, size)
