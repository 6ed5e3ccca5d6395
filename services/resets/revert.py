"""Bulk revert: bots back into LAB, promoted by hand only, their stage locked, each with its audit row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import invalid
from core.ids import new_id
from fleet.closed_sets import ActivityEvent, PromotionMode, Stage, SystemEvent
from fleet.jobs import JobReason
from fleet.resets import MAX_LOCK_HOURS, lock_of
from fleet.stages import StageChange, check_stage
from services.jobs.cancel import cancel_all
from services.resets.audit import AuditTrail, BotAudit, BulkChange, write_audit
from services.resets.reset import BotEffect, chosen_bots
from sql.queries.resets import reset as queries
from sql.tables.bots import Bot, BotStageEvent

_TRAIL: Final = AuditTrail(BotStageEvent, ActivityEvent.REVERTED_TO_LAB, SystemEvent.REVERTED_TO_LAB)


@dataclass(frozen=True, slots=True)
class RevertReport:
    """What a revert did, or would do; counts of the reverted bots by stage."""

    request_id: UUID
    dry_run: bool
    reason_code: str
    bots: tuple[BotEffect, ...]
    stage_counts_before: Mapping[Stage, int]
    stage_counts_after: Mapping[Stage, int]


def revert_to_lab(
    session: Session,
    bot_ids: Sequence[UUID] | None,
    *,
    lock_hours: int,
    reason_code: str,
    dry_run: bool,
    actor: str,
    now: datetime,
) -> RevertReport:
    """Put bots (None: all active ones) into LAB (a unit: the caller commits); a dry run is the same, rolled back.

    Raises:
        GantryError: VALIDATION_FAILED for no bot, an impossible reason or lock; NOT_FOUND for a bot that isn't active.

    """
    if not 0 <= lock_hours <= MAX_LOCK_HOURS:
        raise invalid(
            f"A stage is locked for 0 to {MAX_LOCK_HOURS} hours.", fix="Correct lockHours.", field="lockHours"
        )
    with session.begin_nested() as inner:
        bots = chosen_bots(session, bot_ids, reason_code)
        report = _revert(session, bots, lock_hours, reason_code, actor, now, dry_run=dry_run)
        if dry_run:
            inner.rollback()
    return report


def _revert(
    session: Session,
    bots: Sequence[Bot],
    lock_hours: int,
    reason_code: str,
    actor: str,
    now: datetime,
    *,
    dry_run: bool,
) -> RevertReport:
    names = {bot.id: bot.name for bot in bots}
    ids = list(names)
    stages = {bot.id: Stage(bot.stage) for bot in bots}
    for stage in set(stages.values()):
        check_stage(StageChange.REVERTED_TO_LAB, stage, Stage.LAB)
    before = {bot.id: _state(bot) for bot in bots}
    canceled = cancel_all(session, ids, reason=JobReason.BULK_REVERT, actor=actor)
    locked_until = now + lock_of(lock_hours)
    queries.revert(session, ids, reason_code=reason_code, locked_until=locked_until, now=now)
    after = {
        "stage": Stage.LAB.value,
        "promotion_mode": PromotionMode.MANUAL.value,
        "stage_locked_until": locked_until.isoformat(),
        "stage_reason_code": reason_code,
    }
    effects = tuple(BotEffect(bot_id, name, before[bot_id], dict(after)) for bot_id, name in names.items())
    request_id = new_id()
    _audit(session, BulkChange(request_id, reason_code, actor, canceled), effects, stages)
    counted = Counter(stages.values())
    return RevertReport(
        request_id,
        dry_run,
        reason_code,
        effects,
        {stage: counted[stage] for stage in Stage},
        {stage: len(ids) if stage is Stage.LAB else 0 for stage in Stage},
    )


def _state(bot: Bot) -> dict[str, Any]:
    locked = bot.stage_locked_until
    return {
        "stage": bot.stage,
        "promotion_mode": bot.promotion_mode,
        "stage_locked_until": locked.isoformat() if locked else None,
        "stage_reason_code": bot.stage_reason_code,
    }


def _audit(session: Session, change: BulkChange, effects: Sequence[BotEffect], stages: Mapping[UUID, Stage]) -> None:
    bots = [
        BotAudit(
            one.bot_id,
            columns={
                "event_type": StageChange.REVERTED_TO_LAB,
                "from_stage": stages[one.bot_id],
                "to_stage": Stage.LAB,
            },
            payload={"before": one.before, "after": one.after},
            message=f"Put back into LAB from {stages[one.bot_id]}: {change.reason_code}.",
            message_payload={"locked_until": one.after["stage_locked_until"]},
        )
        for one in effects
    ]
    message = f"{len(effects)} bots were put back into LAB: {change.reason_code}."
    write_audit(session, _TRAIL, change, bots, message=message)
