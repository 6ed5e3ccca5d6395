"""Improvements that came to a verdict: pages of them, and old and new side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.finding import require_bot
from sql.queries.improve import improvements as queries
from sql.queries.paging import After, Page
from sql.tables.improvements import BotImprovement
from trading.digits import usd_text
from trading.improve.readable import out_of_sample, readable, reason_of


@dataclass(frozen=True, slots=True)
class SetFigures:
    """What one parameter set did on all bars of an improvement: USD after costs, yearly Sharpe ratio, round trips.

    Each P&L is that of the equity curve: what an open position is worth counts. net_usd: over all sessions.
    out_net_usd: over the out-of-sample sessions of all folds, for the candidate what each fold's own winner made there,
    as LOSES_OUT_OF_SAMPLE has it. unseen_net_usd: over those of the last fold, which chose nothing.
    """

    net_usd: Decimal
    out_net_usd: Decimal
    unseen_net_usd: Decimal
    sharpe: float | None
    trades: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields ready for JSON."""
        money = {name: usd_text(getattr(self, name)) for name in ("net_usd", "out_net_usd", "unseen_net_usd")}
        return money | {"sharpe": self.sharpe, "trades": self.trades}


@dataclass(frozen=True, slots=True)
class ImprovementView:
    """One improvement; old: what was in use, new: the candidate, which may be the same."""

    id: UUID
    bot_id: UUID
    job_id: UUID
    job_type: str
    base_version_id: UUID
    version_id: UUID | None
    verdict: str
    reason_code: str
    source: str
    candidate: dict[str, Any] | None
    old: SetFigures
    new: SetFigures
    sets_tried: int
    epoch: int
    bars_hash: str
    data_label: str
    evidence: dict[str, Any]
    actor: str
    trace_id: str
    created_at: datetime


def beside(evidence: Mapping[str, Any]) -> tuple[SetFigures, SetFigures]:
    """Return the figures of the incumbent and of the candidate; evidence as `readable` returns it."""
    before, won = out_of_sample(evidence)
    return _figures(evidence["incumbent"], before), _figures(evidence["candidate"], won)


def page_improvements(
    session: Session, bot_id: UUID, *, after: After | None, limit: int
) -> Page[ImprovementView, After]:
    """Return a page of a bot's improvements, newest first, those of earlier epochs and versions included.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    require_bot(session, bot_id)
    page = queries.page(session, bot_id, after=after, limit=limit)
    return page.with_rows([_view(row) for row in page.rows])


def improvements_of_jobs(session: Session, job_ids: Sequence[UUID]) -> Mapping[UUID, ImprovementView]:
    """Return what these jobs came to, by job; jobs without a verdict are left out."""
    return {row.job_id: _view(row) for row in queries.of_jobs(session, job_ids)} if job_ids else {}


def _view(row: BotImprovement) -> ImprovementView:
    evidence = readable(row.evidence)
    old, new = beside(evidence)
    stored = {name: getattr(row, name) for name in ImprovementView.__slots__ if hasattr(row, name)}
    shown = {"evidence": evidence, "reason_code": reason_of(row.reason_code, evidence)}
    return ImprovementView(**stored | shown, old=old, new=new, data_label=evidence["bars"]["data_label"])


def _figures(score: Mapping[str, Any], out_net_usd: Decimal) -> SetFigures:
    net, unseen = Decimal(score["net_usd"]), Decimal(score["unseen_net_usd"])
    return SetFigures(net, out_net_usd, unseen, score["sharpe"], score["trades"])
