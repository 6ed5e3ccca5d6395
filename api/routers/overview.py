"""The fleet at a glance."""

from fastapi import APIRouter

from api.actor import Reader
from api.bot_query import Listing
from api.database import Db, Now
from api.envelope import responses
from api.paging import page_body
from api.schemas.overview import OverviewReply
from services.bots.overview import count_bots, fleet_overview
from services.bots.read import page_bots
from shapes.bots import BotBody

router = APIRouter(tags=["bots"])


@router.get("/api/bots-overview", responses=responses(400))
def show_overview(_actor: Reader, session: Db, now: Now, listing: Listing) -> OverviewReply:
    """Show the counts of all active bots, and one page of those that the filters match."""
    fleet = fleet_overview(session)
    page = page_bots(session, listing.which, listing.order, after=listing.after, limit=listing.limit, now=now)
    return OverviewReply.model_validate(
        {
            **OverviewReply.fields_of(fleet),
            "matching": count_bots(session, listing.which),
            "data": [BotBody.of(bot) for bot in page.rows],
            "page": page_body(page, listing.key, listing.limit),
        }
    )
