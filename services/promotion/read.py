"""How far bots are from promotion: the gates of one as they stand, and all bots whose promotion to PAPER is due."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from fleet.closed_sets import PromotionMode, Stage
from fleet.promotion.evaluate import all_met, evaluate, next_stage
from fleet.promotion.gates import PAPER_LIMITS, Gate
from services.finding import require_bot
from services.promotion.evidence import evidence_of, of_backtest
from sql.queries.paging import After, Page
from sql.queries.promotion import read as queries
from sql.queries.promotion import stage_events as stage_event_queries
from sql.tables.bots import Bot, BotStageEvent
from sql.tables.promotions import PromotionRequest


@dataclass(frozen=True, slots=True)
class NextGates:
    """The gates before a bot's next stage as they stand; to: None from LIVE. request: what waits for approval."""

    stage: Stage
    to: Stage | None
    promotion_mode: PromotionMode
    stage_locked_until: datetime | None
    gates: tuple[Gate, ...]
    request: PromotionRequest | None


def gates_of(session: Session, bot_id: UUID, *, now: datetime, development: bool) -> NextGates:
    """Return the gates before a bot's next stage, without changing anything (a unit).

    Raises:
        GantryError: NOT_FOUND.

    """
    require_bot(session, bot_id)
    bot = session.get_one(Bot, bot_id)
    to = next_stage(Stage(bot.stage))
    gates: tuple[Gate, ...] = ()
    request = queries.open_request(session, bot_id)
    if request is not None and is_stale(session, bot, request, now):
        request = None
    if to is not None:
        evidence = evidence_of(session, bot, development=development, now=now)
        asked_by = request.requested_by if request else None
        gates = evaluate(to, replace(evidence, requested_by=asked_by), now)
    mode = PromotionMode(bot.promotion_mode)
    return NextGates(Stage(bot.stage), to, mode, bot.stage_locked_until, gates, request)


def page_stage_events(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Page[BotStageEvent, After]:
    """Return a page of a bot's changes of stage, newest first.

    Raises:
        GantryError: NOT_FOUND.

    """
    require_bot(session, bot_id)
    return stage_event_queries.page_stage_events(session, bot_id, after=after, limit=limit)


def due_for_promotion(session: Session, *, now: datetime, development: bool) -> Mapping[UUID, tuple[Gate, ...]]:
    """Return the active bots in LAB all of whose gates to PAPER are met for the planner, in one statement (a unit).

    Locked bots and those promoted by hand are among them: their promotion is due, and says why it doesn't happen.
    """
    rows = queries.promising_backtests(session, PAPER_LIMITS)
    known = {row.bot_id: replace(of_backtest(row, development=development), automatic=True) for row in rows}
    judged = {bot_id: evaluate(Stage.PAPER, evidence, now) for bot_id, evidence in known.items()}
    return {bot_id: gates for bot_id, gates in judged.items() if all_met(gates)}


def is_stale(session: Session, bot: Bot, request: PromotionRequest, now: datetime) -> bool:
    """Whether a request has expired, or is of a stay in the stage that has ended since."""
    entered_at = queries.in_stage_since(session, bot)
    moved = entered_at is not None and request.created_at < entered_at
    return moved or request.expires_at <= now or request.from_stage != bot.stage
