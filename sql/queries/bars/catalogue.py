"""Queries of the catalogue of bars."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import exists, func, select, tuple_, update
from sqlalchemy.orm import Session

from fleet.closed_sets import DataLabel
from fleet.grading_bars import MonthInUse
from sql.queries.paging import AfterMonth, Page, page_of, rows_read
from sql.tables.bars import BarsMonth
from trading.bars.aside import sessions_aside


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


def months_in_use(session: Session, *, symbol: str | None = None) -> Mapping[str, Sequence[MonthInUse]]:
    """Return the months in use by symbol, as gradings choose among them, in one statement."""
    query = select(
        BarsMonth.symbol,
        BarsMonth.month,
        BarsMonth.content_hash,
        BarsMonth.first_at,
        BarsMonth.last_at,
        BarsMonth.data_label,
        BarsMonth.quality_report["sessions"].as_integer().label("sessions"),
        func.jsonb_array_length(BarsMonth.quality_report["sessions_missing"]).label("missing"),
        BarsMonth.quality_report["sessions_aside"].label("sessions_aside"),
    ).where(BarsMonth.superseded_at.is_(None))
    if symbol is not None:
        query = query.where(BarsMonth.symbol == symbol)
    found: dict[str, list[MonthInUse]] = {}
    for row in session.execute(query):
        simulated = row.data_label == DataLabel.SIMULATED
        aside = sessions_aside({"sessions_aside": row.sessions_aside or ()})
        month = MonthInUse(row.month, row.content_hash, row.last_at, simulated, _sessions(row), aside)
        found.setdefault(row.symbol, []).append(month)
    return found


def _sessions(row: Any) -> int:
    """Return a month's sessions; a report of an earlier version has no count: weekdays, but for those it misses."""
    if row.sessions is not None:
        return int(row.sessions)
    weekdays = int(np.busday_count(row.first_at.date(), row.last_at.date() + timedelta(days=1)))
    return max(0, weekdays - int(row.missing or 0))


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
