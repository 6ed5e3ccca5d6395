"""What lists are asked with, and the cursors of those whose newest rows come first."""

from typing import Annotated

from fastapi import Query

from api.cursors import Listing, as_id, as_instant
from api.envelope import Page
from sql.queries.paging import After

Limit = Annotated[int, Query(description="Rows a page; lowered to the maximum.")]
SymbolFilter = Annotated[str | None, Query(pattern="^[A-Z0-9]{1,20}$", description="Only this symbol.")]


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
