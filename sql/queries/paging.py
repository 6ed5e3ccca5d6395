"""Pages of lists: the place where one goes on, its rows, and how it ends.

Every list goes on after the last row shown, by its sort key, so that rows which come in meanwhile are neither shown
twice nor skipped. One row more than is shown is read: it says that there is a next page, and is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session


class After(NamedTuple):
    """Where a list of newest-first rows goes on: below this row."""

    created_at: datetime
    id: UUID


class AfterSeq(NamedTuple):
    """Where a list of one session's rows goes on: behind this row of this session."""

    session_id: UUID
    seq: int


SortKey: TypeAlias = str | int | float | Decimal | datetime | None


class AfterKey(NamedTuple):
    """Where a list in a chosen order goes on: behind the row with this value and id. None: the row has no value."""

    key: SortKey
    id: UUID


class AfterMonth(NamedTuple):
    """Where the list of months of bars goes on: behind this one."""

    symbol: str
    month: str


class Dated(Protocol):
    """A row that is listed newest first."""

    @property
    def created_at(self) -> datetime: ...  # noqa: D102
    @property
    def id(self) -> UUID: ...  # noqa: D102


NewestFirst: TypeAlias = tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[UUID]]
Row = TypeVar("Row")
Shown = TypeVar("Shown")
Place = TypeVar("Place")
DatedRow = TypeVar("DatedRow", bound=Dated)
AnySelect: TypeAlias = Select[*tuple[Any, ...]]
Query = TypeVar("Query", bound=AnySelect)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row, Place]):
    """Rows of a list in its order; following: where the next page starts, None at the end."""

    rows: Sequence[Row]
    following: Place | None

    def with_rows(self, shown: Sequence[Shown]) -> "Page[Shown, Place]":
        """Return the same page with other rows, one for each of these."""
        return Page(shown, self.following)


def rows_read(limit: int) -> int:
    """Return how many rows are read for a page of `limit`."""
    return limit + 1


def page_of(rows: Sequence[Row], limit: int, place_of: Callable[[Row], Place]) -> Page[Row, Place]:
    """Return the page that these rows make. rows: `rows_read(limit)` of them, or all there are."""
    following = place_of(rows[limit - 1]) if len(rows) > limit else None
    return Page(rows[:limit], following)


def newest_page(
    session: Session, query: Select[DatedRow], by: NewestFirst, *, after: After | None, limit: int
) -> Page[DatedRow, After]:
    """Return a page of the rows of a query, newest first."""
    rows = session.scalars(newest_first(query, by, after=after, limit=limit)).all()
    return page_of(rows, limit, after_row)


def newest_first(query: Query, by: NewestFirst, *, after: After | None, limit: int) -> Query:
    """Return the query of one page, newest first. by: created_at and id of the table whose order counts."""
    created_at, row_id = by
    if after is not None:
        query = query.where(tuple_(created_at, row_id) < (after.created_at, after.id))
    return query.order_by(created_at.desc(), row_id.desc()).limit(rows_read(limit))


def after_row(row: Dated) -> After:
    """Return where a list goes on below this row."""
    return After(row.created_at, row.id)
