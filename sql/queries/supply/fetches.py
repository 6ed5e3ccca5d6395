"""Queries of fetches: which months bots wait for, and how the last try at each month ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from fleet.jobs import ACTIVE
from sql.queries import current
from sql.tables.bots import Bot, BotVersion
from sql.tables.jobs import BotJob
from sql.tables.usage import BarsFetch


class WaitingBot(NamedTuple):
    """A bot with a backtest that is due, and its window: months, None where it is open."""

    bot_id: UUID
    window: dict[str, Any]


def waiting_bots(session: Session, symbol: str) -> Sequence[WaitingBot]:
    """Return active bots of a symbol whose jobs are queued or running, by id."""
    query = (
        select(Bot.id, BotVersion.window)
        .join(BotJob, BotJob.bot_id == Bot.id)
        .join(BotVersion, current.version_of(Bot))
        .where(
            Bot.symbol == symbol,
            Bot.archived_at.is_(None),
            BotJob.status.in_(ACTIVE),
        )
        .order_by(Bot.id)
    )
    return [WaitingBot(bot_id, window) for bot_id, window in session.execute(query)]


def windows_of_fleet(session: Session) -> Mapping[str, Sequence[dict[str, Any]]]:
    """Return the different windows of active bots' current versions, by symbol."""
    start, end = BotVersion.window["start"].astext, BotVersion.window["end"].astext
    query = (
        select(Bot.symbol, start, end)
        .join(BotVersion, current.version_of(Bot))
        .where(Bot.archived_at.is_(None))
        .distinct()
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for symbol, first, last in session.execute(query):
        found.setdefault(symbol, []).append({"start": first, "end": last})
    return found


def last_tries(session: Session, symbol: str, months: Sequence[str]) -> Sequence[tuple[BarsFetch, float]]:
    """Return the newest row of each of these months and each provider that has one, with its age in seconds."""
    age = func.extract("epoch", func.clock_timestamp() - BarsFetch.created_at)
    query = (
        select(BarsFetch, age)
        .where(BarsFetch.symbol == symbol, BarsFetch.month.in_(months))
        .ext(distinct_on(BarsFetch.month, BarsFetch.provider))
        .order_by(BarsFetch.month, BarsFetch.provider, BarsFetch.created_at.desc(), BarsFetch.id.desc())
    )
    return [(row, float(seconds)) for row, seconds in session.execute(query)]


def failures_since(session: Session, symbol: str, month: str, since: datetime) -> Sequence[BarsFetch]:
    """Return the tries at a month that failed since then, newest first."""
    query = (
        select(BarsFetch)
        .where(
            BarsFetch.symbol == symbol,
            BarsFetch.month == month,
            BarsFetch.error_code.is_not(None),
            BarsFetch.created_at >= since,
        )
        .order_by(BarsFetch.created_at.desc(), BarsFetch.id.desc())
    )
    return session.scalars(query).all()


def newest_tries(session: Session, symbol: str, start: str | None, end: str | None) -> Sequence[BarsFetch]:
    """Return the newest row of each month and provider of the last quarter of an hour, newest first.

    start, end: months, inclusive, None for all.
    """
    fresh = BarsFetch.created_at > func.clock_timestamp() - timedelta(minutes=15)
    query = select(BarsFetch).where(BarsFetch.symbol == symbol, fresh)
    if start is not None:
        query = query.where(BarsFetch.month >= start)
    if end is not None:
        query = query.where(BarsFetch.month <= end)
    query = query.ext(distinct_on(BarsFetch.month, BarsFetch.provider)).order_by(
        BarsFetch.month, BarsFetch.provider, BarsFetch.created_at.desc(), BarsFetch.id.desc()
    )
    return sorted(session.scalars(query), key=lambda row: (row.created_at, row.id), reverse=True)
