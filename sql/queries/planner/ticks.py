"""What the planner noted: its newest ticks, each bot's newest decision, and one bot's decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import lateral, or_, select, true
from sqlalchemy.orm import Session

from sql.queries.paging import After, Page, newest_first, page_of
from sql.tables.bots import Bot
from sql.tables.planner import BotDecision, PlannerRun


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision with its bot. bot_created_at: what a page of bots is sorted by."""

    id: UUID
    bot_id: UUID
    bot_name: str
    symbol: str
    stage: str
    enqueued: bool
    reason_code: str
    not_started: str | None
    job_id: UUID | None
    job_type: str | None
    planner_run_id: UUID
    created_at: datetime
    bot_created_at: datetime


_BOT: Final = (Bot.id, Bot.name, Bot.symbol, Bot.stage)
_OWN: Final[tuple[Any, ...]] = (
    BotDecision.enqueued,
    BotDecision.reason_code,
    BotDecision.not_started,
    BotDecision.job_id,
    BotDecision.job_type,
    BotDecision.planner_run_id,
    BotDecision.created_at,
)


def runs(session: Session, *, limit: int) -> Sequence[PlannerRun]:
    """Return the newest ticks, newest first."""
    query = select(PlannerRun).order_by(PlannerRun.started_at.desc(), PlannerRun.id.desc()).limit(limit)
    return session.scalars(query).all()


def newest_that_enqueued(session: Session) -> PlannerRun | None:
    """Return the newest tick that enqueued something."""
    query = select(PlannerRun).where(PlannerRun.jobs_enqueued > 0)
    return session.scalar(query.order_by(PlannerRun.started_at.desc(), PlannerRun.id.desc()).limit(1))


def newest_decisions(
    session: Session, *, reason: str | None, after: After | None, limit: int
) -> Page[DecisionRow, After]:
    """Return a page of bots that were decided of, newest bot first, each with its newest decision.

    reason: only those whose reason, or whose reason for not starting, is this one.
    """
    newest = lateral(
        select(BotDecision.id, *_OWN)
        .where(BotDecision.bot_id == Bot.id)
        .order_by(BotDecision.created_at.desc(), BotDecision.id.desc())
        .limit(1)
    ).alias("newest")
    own = [newest.c[column.key] for column in _OWN]
    query = select(newest.c.id, *_BOT, *own, Bot.created_at.label("bot_created_at")).join(newest, true())
    if reason is not None:
        query = query.where(or_(newest.c.reason_code == reason, newest.c.not_started == reason))
    rows = [
        DecisionRow(*row)
        for row in session.execute(newest_first(query, (Bot.created_at, Bot.id), after=after, limit=limit))
    ]
    return page_of(rows, limit, lambda row: After(row.bot_created_at, row.bot_id))


def decisions_of(
    session: Session, bot_id: UUID, *, reason: str | None, after: After | None, limit: int
) -> Page[DecisionRow, After]:
    """Return a page of one bot's decisions, newest first."""
    query = (
        select(BotDecision.id, *_BOT, *_OWN, Bot.created_at.label("bot_created_at"))
        .join(Bot, Bot.id == BotDecision.bot_id)
        .where(BotDecision.bot_id == bot_id)
    )
    if reason is not None:
        query = query.where(or_(BotDecision.reason_code == reason, BotDecision.not_started == reason))
    rows = [
        DecisionRow(*row)
        for row in session.execute(
            newest_first(query, (BotDecision.created_at, BotDecision.id), after=after, limit=limit)
        )
    ]
    return page_of(rows, limit, lambda row: After(row.created_at, row.id))
