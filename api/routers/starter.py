"""The starter pack."""

from fastapi import APIRouter, Request, Response

from api.actor import Operator
from api.database import Db, Now
from api.envelope import responses
from api.idempotency import Once
from api.schemas.starter import StarterPackReply, StarterPackRequest
from services.starter import pack as pack_starter
from services.starter.pack import reset_starter_pack, whole_pack

router = APIRouter(prefix="/api/bots", tags=["bots"])


@router.post(
    "/starter-pack",
    status_code=201,
    responses={200: {"model": StarterPackReply}, **responses(400, 409, 413, 422)},
)
def create_starter_pack(
    actor: Operator,
    session: Db,
    now: Now,
    request: Request,
    response: Response,
    once: Once,
    body: StarterPackRequest | None = None,
) -> StarterPackReply:
    """Create the pack's missing bots, each with a baseline backtest. 200 when nothing was missing.

    Six strategies on each symbol, with parameter sets that begin with the defaults; the order is always the same.
    """
    asked = body or StarterPackRequest()
    if asked.reset_existing:
        reset_starter_pack(session, symbols=asked.symbols, actor=actor.id, now=now)
    pack = pack_starter.create_starter_pack(
        session,
        symbols=asked.symbols,
        count=asked.count,
        actor=actor.id,
        now=now,
        max_attempts=request.app.state.settings.max_attempts,
    )
    reply = StarterPackReply.model_validate(whole_pack(session, pack, now=now))
    return once.answer(reply, response, status=201 if pack.is_new else 200)
