"""Cursors of lists whose newest rows come first."""

from api.cursors import Listing, as_id, as_instant
from api.envelope import Page
from services.reads import After


def after_of(listing: Listing, cursor: str | None) -> After | None:
    """Read the cursor; None starts at the newest row."""
    if cursor is None:
        return None
    created_at, row_id = listing.decode(cursor, parts=2)
    return After(as_instant(created_at), as_id(row_id))


def page_after(listing: Listing, following: After | None, limit: int) -> Page:
    """Say where the list goes on."""
    cursor = listing.encode((following.created_at, following.id)) if following else None
    return Page(next_cursor=cursor, limit=limit)
