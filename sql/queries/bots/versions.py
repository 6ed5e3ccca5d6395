"""A bot's versions, each with the improvement that made it and its newest completed session of the current epoch."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, select, true
from sqlalchemy.orm import Session, aliased

from sql.queries import current
from sql.queries.paging import AfterKey, Page, page_of, rows_read
from sql.tables.bots import Bot, BotBoundary, BotVersion
from sql.tables.improvements import BotImprovement
from sql.tables.results import BacktestSession


class StoredVersion(NamedTuple):
    """A version with what refers to it."""

    version: BotVersion
    parent_number: int | None
    is_current: bool
    improvement_id: UUID | None
    session_id: UUID | None
    data_label: str | None
    metrics: dict[str, Any] | None


def page_versions(
    session: Session, bot_id: UUID, *, after: AfterKey | None, limit: int
) -> Page[StoredVersion, AfterKey]:
    """Return a page of a bot's versions, the newest number first."""
    parent = aliased(BotVersion)
    newest = (
        select(BacktestSession.id, BacktestSession.data_label, BacktestSession.metrics)
        .join(BotBoundary, current.of_current_epoch(BacktestSession))
        .where(current.completed_of(bot_id), BacktestSession.version_id == BotVersion.id)
        .order_by(BacktestSession.created_at.desc(), BacktestSession.id.desc())
        .limit(1)
        .correlate(BotVersion)
        .lateral("newest")
    )
    query = (
        select(
            BotVersion,
            parent.number,
            current.version_of(Bot),
            BotImprovement.id,
            newest.c.id,
            newest.c.data_label,
            newest.c.metrics,
        )
        .join(Bot, Bot.id == BotVersion.bot_id)
        .outerjoin(parent, parent.id == BotVersion.parent_id)
        .outerjoin(BotImprovement, and_(BotImprovement.bot_id == bot_id, BotImprovement.version_id == BotVersion.id))
        .outerjoin(newest, true())
        .where(BotVersion.bot_id == bot_id)
        .order_by(BotVersion.number.desc())
        .limit(rows_read(limit))
    )
    if after is not None:
        query = query.where(BotVersion.number < after.key)
    rows: Sequence[StoredVersion] = [StoredVersion(*row) for row in session.execute(query)]
    return page_of(rows, limit, lambda row: AfterKey(row.version.number, row.version.id))
