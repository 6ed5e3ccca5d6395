"""Bots: list, create, show, change, archive, and request a backtest."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.actor import Operator, Reader
from api.bot_query import Listing
from api.bot_reply import bot_reply
from api.database import Db, Now
from api.envelope import ListOf, OneOf, responses
from api.errors import from_domain
from api.etags import AnyRevisions, Revisions
from api.idempotency import Once
from api.paging import list_of
from api.schemas.bots import BotChangeRequest, NewBotRequest
from api.schemas.jobs import JobConflict, JobReply
from core.errors import GantryError, Kind
from fleet.closed_sets import BacktestKind
from services.bots import change, create
from services.bots.read import page_bots
from services.jobs.enqueue import enqueue_job
from services.jobs.read import active_job, get_job
from shapes.bots import BotBody, BotDetailBody
from shapes.jobs import JobBody

router = APIRouter(prefix="/api/bots", tags=["bots"])


@router.get("", responses=responses(400))
def list_bots(_actor: Reader, session: Db, now: Now, listing: Listing) -> ListOf[BotBody]:
    """List bots, newest first or as asked for."""
    page = page_bots(session, listing.which, listing.order, after=listing.after, limit=listing.limit, now=now)
    return list_of(page, BotBody.of, listing.key, listing.limit)


@router.post("", status_code=201, responses=responses(400, 409, 413, 422))
def create_bot(
    actor: Operator, session: Db, now: Now, body: NewBotRequest, request: Request, response: Response, once: Once
) -> OneOf[BotDetailBody]:
    """Create a bot. It starts in LAB with manual promotion."""
    bot_id = create.create_bot(session, body.to_new_bot(), actor=actor.id, now=now)
    response.headers["Location"] = f"{request.url.path}/{bot_id}"
    return once.answer(bot_reply(session, bot_id, response, now=now), response, status=201)


@router.get("/{bot_id}", responses=responses(404))
def show_bot(_actor: Reader, session: Db, now: Now, bot_id: UUID, response: Response) -> OneOf[BotDetailBody]:
    """Show one bot; its ETag is its revision."""
    return bot_reply(session, bot_id, response, now=now)


@router.patch("/{bot_id}", responses=responses(400, 404, 409, 412, 413, 422, 428))
def change_bot(
    actor: Operator,
    session: Db,
    now: Now,
    bot_id: UUID,
    revisions: Revisions,
    body: BotChangeRequest,
    response: Response,
) -> OneOf[BotDetailBody]:
    """Change a bot if If-Match has its current revision. A running job ends under the version it began with."""
    change.change_bot(session, bot_id, body.to_change(), revisions=revisions, actor=actor.id, now=now)
    return bot_reply(session, bot_id, response, now=now)


@router.post("/{bot_id}/archive", responses=responses(400, 404, 409, 412, 422))
def archive_bot(
    actor: Operator, session: Db, now: Now, bot_id: UUID, revisions: AnyRevisions, response: Response, once: Once
) -> OneOf[BotDetailBody]:
    """Archive a bot and cancel its job; an archived bot stays as it is. If-Match is optional."""
    change.archive_bot(session, bot_id, revisions=revisions, actor=actor.id, now=now)
    return once.answer(bot_reply(session, bot_id, response, now=now), response, status=200)


@router.post(
    "/{bot_id}/run-backtest",
    status_code=202,
    response_model=JobReply,
    responses=responses(400, 404, 422, status_409=JobConflict),
)
def run_backtest(
    actor: Operator, session: Db, bot_id: UUID, request: Request, response: Response, once: Once
) -> JobReply | JSONResponse:
    """Queue a backtest; the orchestrator starts it within seconds. A busy bot answers 409 with its active job."""
    settings = request.app.state.settings
    try:
        job_id = enqueue_job(
            session, bot_id, kind=BacktestKind.MANUAL, actor=actor.id, max_attempts=settings.max_attempts
        )
    except GantryError as error:
        if error.kind is not Kind.CONFLICT:
            raise
        active = active_job(session, bot_id)
        body = JobBody.model_validate(active).model_dump(mode="json") if active else None
        return from_domain(error, extra={"job": body})
    return once.answer(JobReply(job=JobBody.model_validate(get_job(session, job_id))), response, status=202)
