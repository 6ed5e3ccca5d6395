"""Reset of metrics: what a bot did so far counts no more, and nothing of it is deleted or changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind, invalid
from core.ids import new_id
from fleet.closed_sets import ActivityEvent, MetricsScope, SystemEvent
from fleet.jobs import JobReason
from fleet.resets import SOURCES_OF, asks_for_baseline
from services.jobs.cancel import cancel_all
from services.resets.audit import AuditTrail, BotAudit, BulkChange, write_audit
from sql.queries.jobs import cancel as cancel_queries
from sql.queries.resets import reset as queries
from sql.tables.bots import Bot
from sql.tables.resets import METRICS_RESET, BotMetricsEvent
from trading.digits import usd_text

_TRAIL: Final = AuditTrail(BotMetricsEvent, ActivityEvent.METRICS_RESET, SystemEvent.METRICS_RESET)


@dataclass(frozen=True, slots=True)
class BotEffect:
    """What was done to one bot: JSON values."""

    bot_id: UUID
    name: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResetReport:
    """What a reset did, or would do. request_id: in every audit row, and the id of the backfill to follow."""

    request_id: UUID
    dry_run: bool
    scope: MetricsScope
    reason_code: str
    bots: tuple[BotEffect, ...]


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """What is requested. bot_ids: None for all active bots."""

    scope: MetricsScope
    bot_ids: tuple[UUID, ...] | None
    reason_code: str
    rebase_equity: bool = True


def reset_metrics(session: Session, asked: ResetRequest, *, dry_run: bool, actor: str, now: datetime) -> ResetReport:
    """Reset metrics, in a fixed number of statements whatever the number of bots (a unit: the caller commits).

    A dry run is the same code, rolled back to where it began.

    Raises:
        GantryError: VALIDATION_FAILED for no bot or an impossible reason; NOT_FOUND for a bot that isn't active.

    """
    with session.begin_nested() as inner:
        report = _reset(session, asked, dry_run=dry_run, actor=actor, now=now)
        if dry_run:
            inner.rollback()
    return report


def _reset(session: Session, asked: ResetRequest, *, dry_run: bool, actor: str, now: datetime) -> ResetReport:
    bots = chosen_bots(session, asked.bot_ids, asked.reason_code)
    names = {bot.id: bot.name for bot in bots}
    ids = list(names)
    request_id = new_id()
    before = _states(session, bots)
    canceled: Mapping[UUID, UUID] = {}
    if asks_for_baseline(asked.scope):
        canceled = cancel_all(session, ids, reason=JobReason.METRICS_RESET, actor=actor)
    queries.grow_epochs(
        session,
        ids,
        SOURCES_OF[asked.scope],
        event_id=request_id,
        rebase_equity=asked.rebase_equity,
        now=now,
    )
    noted = {
        "metrics_reset_at": now,
        "metrics_reset_reason_code": asked.reason_code,
        "metrics_reset_by": actor,
        "metrics_reset_scope": asked.scope,
        "updated_at": now,
    }
    queries.note_reset(session, ids, noted)
    after = _after(session, ids, asked.scope, before, now)
    effects = tuple(BotEffect(bot_id, name, before[bot_id], after[bot_id]) for bot_id, name in names.items())
    _audit(session, asked, BulkChange(request_id, asked.reason_code, actor, canceled), effects)
    return ResetReport(request_id, dry_run, asked.scope, asked.reason_code, effects)


def chosen_bots(session: Session, bot_ids: Sequence[UUID] | None, reason_code: str) -> Sequence[Bot]:
    """Lock and return the bots that are meant.

    Raises:
        GantryError: VALIDATION_FAILED for an empty list or an impossible reason; NOT_FOUND, naming the bots that
            aren't active.

    """
    if not 1 <= len(reason_code) <= 100 or not reason_code.isprintable() or not reason_code.isascii():
        raise invalid("A reason code has 1 to 100 printable characters.", fix="Correct it.", field="reasonCode")
    if bot_ids is not None and not bot_ids:
        raise invalid("botIds is empty.", fix="Give at least one id, or omit botIds to reset all.", field="botIds")
    bots = queries.lock_bots(session, None if bot_ids is None else sorted(set(bot_ids)))
    missing = set(bot_ids or ()) - {bot.id for bot in bots}
    if missing:
        named = ", ".join(sorted(map(str, missing))[:5])
        raise GantryError(
            ErrorCode.NOT_FOUND,
            f"{len(missing)} of the bots don't exist or are archived: {named}.",
            fix="List them: GET /api/bots. Nothing was changed.",
            kind=Kind.NOT_FOUND,
            facts={"missing": sorted(map(str, missing))[:100]},
        )
    return bots


def _states(session: Session, bots: Sequence[Bot]) -> dict[UUID, dict[str, Any]]:
    ids = [bot.id for bot in bots]
    epochs, figures = queries.epochs(session, ids), queries.backtest_figures(session, ids)
    jobs = {job.bot_id: job for job in cancel_queries.lock_active_jobs(session, ids)}
    return {
        bot.id: {
            "epochs": epochs.get(bot.id, {}),
            "net_pnl": usd_text(figures[bot.id].net_pnl) if bot.id in figures else None,
            "total_trades": figures[bot.id].total_trades if bot.id in figures else None,
            "metrics_reset_at": bot.metrics_reset_at.isoformat() if bot.metrics_reset_at else None,
            "active_job": {"id": str(jobs[bot.id].id), "status": jobs[bot.id].status} if bot.id in jobs else None,
        }
        for bot in bots
    }


def _after(
    session: Session, ids: Sequence[UUID], scope: MetricsScope, before: Mapping[UUID, dict[str, Any]], now: datetime
) -> dict[UUID, dict[str, Any]]:
    epochs = queries.epochs(session, ids)
    gone = {"net_pnl": None, "total_trades": None, "active_job": None} if asks_for_baseline(scope) else {}
    return {
        bot_id: before[bot_id] | {"epochs": epochs.get(bot_id, {}), "metrics_reset_at": now.isoformat()} | gone
        for bot_id in ids
    }


def _audit(session: Session, asked: ResetRequest, change: BulkChange, effects: Sequence[BotEffect]) -> None:
    bots = [
        BotAudit(
            one.bot_id,
            columns={"event_type": METRICS_RESET, "scope": asked.scope},
            payload={
                "epochs": one.after["epochs"],
                "before": one.before,
                "equity_rebased": asked.rebase_equity,
            },
            message=f"Metrics reset ({asked.scope}): {asked.reason_code}.",
            message_payload={"scope": asked.scope},
        )
        for one in effects
    ]
    message = f"Metrics of {len(effects)} bots were reset ({asked.scope}): {asked.reason_code}."
    write_audit(session, _TRAIL, change, bots, message=message, scope=asked.scope, reason_code=asked.reason_code)
