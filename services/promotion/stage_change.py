"""A change of stage as it is written: the bot, its one audit row, a line of the feed, and the end of what waited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, PromotionMode, Stage
from fleet.jobs import JobReason
from fleet.promotion.gates import Gate
from fleet.stages import StageChange, check_stage
from services import events
from services.jobs.cancel import cancel_active
from sql.tables.bots import Bot, BotStageEvent
from sql.tables.promotions import PromotionRequest

REQUEST_LIVES: Final = timedelta(hours=24)
WITHDRAWN: Final = "WITHDRAWN"
APPROVED: Final = "APPROVED"
EXPIRED: Final = "EXPIRED"
_VERB: Final = {StageChange.PROMOTED: "Promoted", StageChange.DEMOTED: "Demoted"}


@dataclass(frozen=True, slots=True)
class StageMove:
    """A change of stage. mode: who may promote the bot from then on; None as before. payload: for the audit row."""

    change: StageChange
    to: Stage
    reason_code: str
    actor: str
    mode: PromotionMode | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


def change_stage(session: Session, bot: Bot, move: StageMove, *, now: datetime) -> None:
    """Bring a locked bot into another stage (a unit).

    Raises:
        GantryError: CONFLICT for a step there isn't.

    """
    came_from = Stage(bot.stage)
    check_stage(move.change, came_from, move.to)
    canceled: list[UUID] = []
    if came_from is Stage.LAB:  # its jobs are LAB's work
        canceled = cancel_active(session, bot.id, reason=JobReason.LEFT_LAB, actor=move.actor)
    bot.stage, bot.stage_reason_code = move.to.value, move.reason_code
    bot.promotion_mode = (move.mode or PromotionMode(bot.promotion_mode)).value
    bot.revision, bot.updated_at = bot.revision + 1, now
    session.add(
        BotStageEvent(
            id=new_id(),
            bot_id=bot.id,
            from_stage=came_from,
            to_stage=move.to,
            event_type=move.change,
            reason_code=move.reason_code,
            actor=move.actor,
            payload_json={"canceled_job_ids": [str(job_id) for job_id in canceled], **move.payload},
            trace_id=current_trace_id(),
            # When the bot was locked, not when the transaction began: events come in the order of the changes.
            created_at=func.clock_timestamp(),
        )
    )
    session.flush()
    events.publish(
        session,
        ActivityEvent.STAGE_CHANGED,
        f"{_VERB[move.change]} from {came_from} to {move.to}: {move.reason_code}.",
        actor=move.actor,
        bot_id=bot.id,
        payload={
            "from_stage": came_from,
            "to_stage": move.to,
            "reason_code": move.reason_code,
            "revision": bot.revision,
        },
    )


def ask_second_person(
    session: Session, bot: Bot, to: Stage, gates: Sequence[Gate], *, actor: str, now: datetime
) -> PromotionRequest:
    """Write that somebody wants a bot promoted; it waits for another person for a day."""
    request = PromotionRequest(
        id=new_id(),
        bot_id=bot.id,
        from_stage=bot.stage,
        to_stage=to,
        requested_by=actor,
        gates=[gate.as_json() for gate in gates],
        trace_id=current_trace_id(),
        expires_at=now + REQUEST_LIVES,
    )
    session.add(request)
    session.flush()
    session.refresh(request)
    return request


def close_request(
    session: Session, request: PromotionRequest | None, outcome: str, *, actor: str, now: datetime
) -> None:
    """End what waited, if anything did."""
    if request is not None:
        request.outcome, request.decided_by, request.decided_at = outcome, actor, now
        session.flush()
