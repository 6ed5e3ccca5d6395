"""Results of a bot's jobs: sessions, trades, equity, improvements, and the lineage of its score."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.actor import Reader
from api.cursors import Cursor, ListKey, limited
from api.database import Db
from api.envelope import ListOf, responses
from api.paging import Limit, after_of, after_seq_of, list_of, page_body
from api.schemas.backtests import EquityList, LineageReply, TradeList
from services.backtests.lineage import lineage_of_score
from services.backtests.results import page_equity, page_sessions, page_trades
from services.improve.read import page_improvements
from shapes.backtests import BacktestBody, EquityBody, ImprovementBody, LineageBody, TradeBody

router = APIRouter(prefix="/api/bots/{bot_id}", tags=["results"], responses=responses(404))
MAX_LIMIT = 200
MAX_TRADES = 1000
MAX_POINTS = 5000
SessionId = Annotated[UUID | None, Query(description="A session of the bot; by default the one its metrics come from.")]


@router.get("/backtests", responses=responses(400))
def list_backtests(
    _actor: Reader, session: Db, bot_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> ListOf[BacktestBody]:
    """List a bot's backtest sessions, newest first, those of earlier epochs and versions included."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("backtests:created_at desc", {"bot": bot_id})
    page = page_sessions(session, bot_id, after=after_of(listing, cursor), limit=size)
    return list_of(page, BacktestBody.model_validate, listing, size)


@router.get("/trades", responses=responses(400))
def list_trades(
    _actor: Reader,
    session: Db,
    bot_id: UUID,
    limit: Limit = 100,
    cursor: Cursor = None,
    session_id: SessionId = None,
) -> TradeList:
    """List the trades of one session, newest first. Following pages stay in the same session."""
    size = limited(limit, maximum=MAX_TRADES)
    listing = ListKey("trades:seq desc", {"bot": bot_id, "session": session_id})
    after = after_seq_of(listing, cursor)
    found = page_trades(session, bot_id, session_id=session_id, after=after, limit=size)
    return TradeList(
        data=[TradeBody.model_validate(trade) for trade in found.page.rows],
        page=page_body(found.page, listing, size),
        session_id=found.session_id,
    )


@router.get("/equity", responses=responses(400))
def list_equity(
    _actor: Reader,
    session: Db,
    bot_id: UUID,
    limit: Limit = 1000,
    cursor: Cursor = None,
    session_id: SessionId = None,
) -> EquityList:
    """List the equity of one session by trading day, oldest first. Following pages stay in the same session."""
    size = limited(limit, maximum=MAX_POINTS)
    listing = ListKey("equity:seq asc", {"bot": bot_id, "session": session_id})
    after = after_seq_of(listing, cursor)
    found = page_equity(session, bot_id, session_id=session_id, after=after, limit=size)
    return EquityList(
        data=[EquityBody.model_validate(point) for point in found.page.rows],
        page=page_body(found.page, listing, size),
        session_id=found.session_id,
    )


@router.get("/improvements", responses=responses(400))
def list_improvements(
    _actor: Reader, session: Db, bot_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> ListOf[ImprovementBody]:
    """List a bot's improvements, newest first: old and new side by side, the verdict, and its evidence."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("improvements:created_at desc", {"bot": bot_id})
    page = page_improvements(session, bot_id, after=after_of(listing, cursor), limit=size)
    return list_of(page, ImprovementBody.model_validate, listing, size)


@router.get("/lineage")
def show_lineage(_actor: Reader, session: Db, bot_id: UUID) -> LineageReply:
    """Show the chain from a bot's score back to the bars, parameters, code and run that made it."""
    return LineageReply(data=LineageBody.model_validate(lineage_of_score(session, bot_id)))
