"""The versions of a bot: what each is made of, where it came from, and what it earns."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from services.bots.read import NEEDS_BACKTEST, BotMetrics
from services.finding import require_bot
from sql.queries.bots import versions as queries
from sql.queries.bots.versions import StoredVersion
from sql.queries.paging import AfterKey, Page

_MONEY: Final = {spec.name for spec in fields(BotMetrics) if spec.type == Decimal | None}


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version. parent_*: the version it was made from; None for the first.

    improvement_id: the improvement that was adopted as this version; None for one that a person made.
    session_id, data_label, metrics: of its newest completed backtest in the current epoch.
    """

    id: UUID
    bot_id: UUID
    number: int
    is_current: bool
    parent_id: UUID | None
    parent_number: int | None
    strategy: str
    params: dict[str, Any]
    costs: dict[str, Any]
    window: dict[str, Any]
    reason_code: str
    improvement_id: UUID | None
    session_id: UUID | None
    data_label: str | None
    metrics: BotMetrics
    trace_id: str
    created_at: datetime


def page_versions(
    session: Session, bot_id: UUID, *, after: AfterKey | None = None, limit: int
) -> Page[VersionView, AfterKey]:
    """Return a page of a bot's versions, newest first, in a fixed number of queries.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    require_bot(session, bot_id)
    page = queries.page_versions(session, bot_id, after=after, limit=limit)
    return page.with_rows([_view(row) for row in page.rows])


def _view(row: StoredVersion) -> VersionView:
    version = row.version
    return VersionView(
        id=version.id,
        bot_id=version.bot_id,
        number=version.number,
        is_current=row.is_current,
        parent_id=version.parent_id,
        parent_number=row.parent_number,
        strategy=version.strategy,
        params=version.params,
        costs=version.costs,
        window=version.window,
        reason_code=version.reason_code,
        improvement_id=row.improvement_id,
        session_id=row.session_id,
        data_label=row.data_label,
        metrics=_metrics(row.metrics),
        trace_id=version.trace_id,
        created_at=version.created_at,
    )


def _metrics(stored: dict[str, Any] | None) -> BotMetrics:
    """Return a session's metrics, whose money is stored as exact decimal text."""
    if stored is None:
        return BotMetrics(reason=NEEDS_BACKTEST)
    known: dict[str, Any] = {spec.name: stored.get(spec.name) for spec in fields(BotMetrics) if spec.name != "reason"}
    money = {name: Decimal(value) for name, value in known.items() if name in _MONEY and value is not None}
    return BotMetrics(**known | money)
