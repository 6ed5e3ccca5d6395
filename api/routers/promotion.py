"""Stages of bots: promote through gates, approve as the second person, demote, and the current gates."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api.actor import Operator, Reader
from api.bot_reply import bot_reply, bot_with_etag
from api.cursors import Cursor, ListKey, limited
from api.database import Db, Now
from api.envelope import ListOf, OneOf, responses
from api.errors import from_domain
from api.etags import AnyRevisions
from api.idempotency import Once
from api.paging import Limit, after_of, list_of
from api.schemas.promotion import DemoteRequest, PromotionRefused, PromotionReply
from core.settings import AppEnv
from services.promotion.decide import Promotion, approve, demote, promote
from services.promotion.read import gates_of, page_stage_events
from services.promotion.refusals import GatesNotMet
from shapes.bots import BotDetailBody
from shapes.promotion import GateBody, NextGatesBody, StageEventBody

router = APIRouter(prefix="/api/bots", tags=["bots"])
MAX_LIMIT = 200
REFUSALS: dict[int | str, dict[str, Any]] = responses(
    400, 403, 404, 412, 422, status_202=PromotionReply, status_409=PromotionRefused
)


@router.get("/{bot_id}/gates", responses=responses(404))
def show_gates(_actor: Reader, session: Db, now: Now, bot_id: UUID, request: Request) -> OneOf[NextGatesBody]:
    """Show every gate before the bot's next stage: observed value, limit and reason."""
    found = gates_of(session, bot_id, now=now, development=_development(request))
    return OneOf(data=NextGatesBody.of(found))


@router.get("/{bot_id}/stage-events", responses=responses(400, 404))
def list_stage_events(
    _actor: Reader, session: Db, bot_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> ListOf[StageEventBody]:
    """List every change of the bot's stage, newest first: who, why, and the gates at that time."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("stage-events:created_at desc", {"bot": bot_id})
    page = page_stage_events(session, bot_id, after=after_of(listing, cursor), limit=size)
    return list_of(page, StageEventBody.model_validate, listing, size)


@router.post("/{bot_id}/promote", response_model=PromotionReply, responses=REFUSALS)
def promote_bot(
    actor: Operator,
    session: Db,
    now: Now,
    bot_id: UUID,
    revisions: AnyRevisions,
    request: Request,
    response: Response,
    once: Once,
) -> PromotionReply | JSONResponse:
    """Promote a bot by one stage. For CANARY and LIVE: 202, waiting up to 24 hours for a second person."""
    development = _development(request)
    try:
        done = promote(session, bot_id, by=actor.as_caller(), now=now, development=development, revisions=revisions)
    except GatesNotMet as refused:
        return _refused(refused)
    reply = _reply(session, bot_id, done, now, response)
    return once.answer(reply, response, status=202 if done.request else 200)


@router.post("/{bot_id}/promote/approve", response_model=PromotionReply, responses=REFUSALS)
def approve_promotion(
    actor: Operator,
    session: Db,
    now: Now,
    bot_id: UUID,
    revisions: AnyRevisions,
    request: Request,
    response: Response,
    once: Once,
) -> PromotionReply | JSONResponse:
    """Approve a promotion that another person requested. Every gate is evaluated again."""
    development = _development(request)
    try:
        done = approve(session, bot_id, by=actor.as_caller(), now=now, development=development, revisions=revisions)
    except GatesNotMet as refused:
        return _refused(refused)
    return once.answer(_reply(session, bot_id, done, now, response), response, status=200)


@router.post("/{bot_id}/demote", responses=responses(400, 403, 404, 409, 412, 413, 422))
def demote_bot(
    actor: Operator,
    session: Db,
    now: Now,
    bot_id: UUID,
    revisions: AnyRevisions,
    response: Response,
    once: Once,
    body: DemoteRequest | None = None,
) -> OneOf[BotDetailBody]:
    """Demote a bot by one stage; from then on it is promoted manually only."""
    asked = body or DemoteRequest()
    demote(session, bot_id, by=actor.as_caller(), now=now, reason_code=asked.reason_code, revisions=revisions)
    return once.answer(bot_reply(session, bot_id, response, now=now), response, status=200)


def _reply(session: Session, bot_id: UUID, done: Promotion, now: Now, response: Response) -> PromotionReply:
    return PromotionReply.of(bot_with_etag(session, bot_id, response, now=now), done)


def _refused(error: GatesNotMet) -> JSONResponse:
    return from_domain(error, extra={"gates": [GateBody.of(gate).model_dump(mode="json") for gate in error.gates]})


def _development(request: Request) -> bool:
    return bool(request.app.state.settings.app_env is AppEnv.DEVELOPMENT)
