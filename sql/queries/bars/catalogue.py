"""Queries of the catalogue of bars."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, tuple_, update
from sqlalchemy.orm import Session

from fleet.closed_sets import DataLabel
from sql.queries.paging import AfterMonth, Page, page_of, rows_read
from sql.tables.bars import BarsMonth


def active_month(session: Session, symbol: str, month: str) -> BarsMonth | None:
    """Return the month in use, locked against a second import."""
    query = select(BarsMonth).where(
        BarsMonth.symbol == symbol, BarsMonth.month == month, BarsMonth.superseded_at.is_(None)
    )
    return session.scalars(query.with_for_update()).one_or_none()


def active_months(
    session: Session, *, symbol: str | None = None, start: str | None = None, end: str | None = None
) -> Sequence[BarsMonth]:
    """Return the months in use, by symbol and month; start and end are months, inclusive."""
    query = select(BarsMonth).where(BarsMonth.superseded_at.is_(None)).order_by(BarsMonth.symbol, BarsMonth.month)
    if symbol is not None:
        query = query.where(BarsMonth.symbol == symbol)
    if start is not None:
        query = query.where(BarsMonth.month >= start)
    if end is not None:
        query = query.where(BarsMonth.month <= end)
    return session.scalars(query).all()


def has_real_month(session: Session, symbol: str) -> bool:
    """Whether any month in use of that symbol is not simulated."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    BarsMonth.symbol == symbol,
                    BarsMonth.superseded_at.is_(None),
                    BarsMonth.data_label != DataLabel.SIMULATED,
                )
            )
        )
    )


def has_any_month(session: Session) -> bool:
    """Whether the catalogue holds any month."""
    return bool(session.scalar(select(exists().where(BarsMonth.superseded_at.is_(None)))))


def supersede(session: Session, old: UUID, new: UUID, *, now: datetime) -> None:
    """Take a month out of use in favour of another row, which need not exist yet."""
    session.execute(update(BarsMonth).where(BarsMonth.id == old).values(superseded_at=now, superseded_by=new))
    session.flush()


def bars_months(session: Session, ids: Sequence[UUID]) -> Sequence[BarsMonth]:
    """Return catalogue rows by id, superseded ones included, in order of month."""
    return session.scalars(select(BarsMonth).where(BarsMonth.id.in_(ids)).order_by(BarsMonth.month)).all()


def page_months(
    session: Session, *, symbol: str | None, after: AfterMonth | None, limit: int
) -> Page[BarsMonth, AfterMonth]:
    """Return a page of the months in use by symbol and month."""
    query = select(BarsMonth).where(BarsMonth.superseded_at.is_(None))
    if symbol is not None:
        query = query.where(BarsMonth.symbol == symbol)
    if after is not None:
        query = query.where(tuple_(BarsMonth.symbol, BarsMonth.month) > (after.symbol, after.month))
    rows = session.scalars(query.order_by(BarsMonth.symbol, BarsMonth.month).limit(rows_read(limit))).all()
    return page_of(rows, limit, lambda row: AfterMonth(row.symbol, row.month))
