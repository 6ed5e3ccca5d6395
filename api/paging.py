"""Parameters of lists, their cursors, and how a page is answered."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Query

from api.cursors import ListKey, as_id, as_instant, as_int, as_symbol
from api.envelope import ListOf, PageBody
from sql.queries import paging
from sql.queries.paging import After, AfterMonth, AfterSeq, Page
from trading.instruments import INSTRUMENTS

AfterKey = paging.AfterKey  # for `api.bot_query`: of all tables and queries, this module alone may import this one
SortKey = paging.SortKey
Limit = Annotated[int, Query(description="Rows per page; capped at the maximum.")]
SymbolFilter = Annotated[
    str | None, Query(description="Only this symbol.", json_schema_extra={"enum": list(INSTRUMENTS)})
]
Row = TypeVar("Row")
Item = TypeVar("Item")
Place = TypeVar("Place", After, AfterSeq, AfterMonth, AfterKey)


def after_of(listing: ListKey, cursor: str | None) -> After | None:
    """Read the cursor of a newest-first list; None starts at the newest row."""
    if cursor is None:
        return None
    created_at, row_id = listing.decode(cursor, parts=2)
    return After(as_instant(created_at), as_id(row_id))


def after_seq_of(listing: ListKey, cursor: str | None) -> AfterSeq | None:
    """Read the cursor of a list of one session's rows; None starts at its first row."""
    if cursor is None:
        return None
    session_id, seq = listing.decode(cursor, parts=2)
    return AfterSeq(as_id(session_id), as_int(seq))


def after_key_of(listing: ListKey, cursor: str | None, read: Callable[[object], SortKey]) -> AfterKey | None:
    """Read the cursor of a list in a chosen order; None starts at its first row. read: reads the value sorted by."""
    if cursor is None:
        return None
    key, row_id = listing.decode(cursor, parts=2)
    return AfterKey(None if key is None else read(key), as_id(row_id))


def after_month_of(listing: ListKey, cursor: str | None) -> AfterMonth | None:
    """Read the cursor of the list of months; None starts at the first one."""
    if cursor is None:
        return None
    symbol, month = listing.decode(cursor, parts=2)
    return AfterMonth(as_symbol(symbol), as_symbol(month))


def list_of(page: Page[Row, Place], item: Callable[[Row], Item], listing: ListKey, limit: int) -> ListOf[Item]:
    """Answer a page of a list. item: shows one row."""
    return ListOf(data=[item(row) for row in page.rows], page=page_body(page, listing, limit))


def page_body(page: Page[Row, Place], listing: ListKey, limit: int) -> PageBody:
    """Return where the list continues."""
    cursor = listing.encode(page.following) if page.following is not None else None
    return PageBody(next_cursor=cursor, limit=limit)
