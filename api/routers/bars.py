"""The catalogue of bars in use."""

from fastapi import APIRouter

from api.actor import Reader
from api.cursors import Cursor, ListKey, limited
from api.database import Db
from api.envelope import ListOf, responses
from api.errors import query_values
from api.paging import Limit, SymbolFilter, after_month_of, list_of
from services.backtests.results import page_months
from shapes.bars import BarsMonthBody

router = APIRouter(tags=["bars"])
MAX_LIMIT = 500


@router.get("/api/bars", responses=responses(400))
def list_bars(
    _actor: Reader,
    session: Db,
    limit: Limit = 100,
    cursor: Cursor = None,
    symbol: SymbolFilter = None,
) -> ListOf[BarsMonthBody]:
    """List the symbol-months in use, by symbol and month."""
    size = limited(limit, maximum=MAX_LIMIT)
    listing = ListKey("bars:symbol,month", {"symbol": symbol})
    after = after_month_of(listing, cursor)
    with query_values():
        page = page_months(session, symbol=symbol, after=after, limit=size)
    return list_of(page, BarsMonthBody.model_validate, listing, size)
