"""The catalogue of bars in use."""

from fastapi import APIRouter

from api.actor import Reader
from api.cursors import Cursor, Listing, as_symbol, limited
from api.database import Db
from api.envelope import ListOf, Page, responses
from api.paging import Limit, SymbolFilter
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
    listing = Listing("bars:symbol,month", {"symbol": symbol})
    after = None
    if cursor is not None:
        place = listing.decode(cursor, parts=2)
        after = (as_symbol(place[0]), as_symbol(place[1]))
    page = page_months(session, symbol=symbol, after=after, limit=size)
    following = listing.encode(page.following) if page.following else None
    data = [BarsMonthBody.model_validate(month) for month in page.months]
    return ListOf(data=data, page=Page(next_cursor=following, limit=size))
