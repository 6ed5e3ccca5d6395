"""The audit of a change of many bots at once: a row and a line of the feed for each, and one event for the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert
from sqlalchemy.orm import Session

from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, SystemEvent
from services import events
from sql.tables.bots import BotStageEvent
from sql.tables.events import Activity
from sql.tables.resets import BotMetricsEvent


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Where a kind of change is written: the table of its audit rows, and its events in the feed and of the system."""

    table: type[BotMetricsEvent] | type[BotStageEvent]
    feed_event: ActivityEvent
    system_event: SystemEvent


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What all rows of one change share. request_id: in each of them. canceled: jobs canceled for it, by bot."""

    request_id: UUID
    reason_code: str
    actor: str
    canceled: Mapping[UUID, UUID]


@dataclass(frozen=True, slots=True)
class BotAudit:
    """What is written of one bot: columns and payload of its audit row, message and payload of its line of the feed."""

    bot_id: UUID
    columns: Mapping[str, Any]
    payload: Mapping[str, Any]
    message: str
    message_payload: Mapping[str, Any]


def write_audit(
    session: Session, trail: AuditTrail, change: BulkChange, bots: Sequence[BotAudit], *, message: str, **facts: object
) -> None:
    """Write the audit in three statements, whatever the number of bots (a unit). message, facts: of the whole."""
    request = {"request_id": str(change.request_id)}
    if bots:
        # When the bots were locked, not when the transaction began: events come in the order of the changes.
        audit = insert(trail.table).values(created_at=func.clock_timestamp())
        session.execute(audit, [_row(change, one, request) for one in bots])
        session.execute(insert(Activity), [_line(trail, change, one, request) for one in bots])
    payload = {**request, "bots": len(bots), **facts}
    events.note(session, trail.system_event, message, actor=change.actor, payload=payload)


def _row(change: BulkChange, one: BotAudit, request: Mapping[str, str]) -> dict[str, Any]:
    canceled = change.canceled.get(one.bot_id)
    return {
        "id": new_id(),
        "bot_id": one.bot_id,
        "reason_code": change.reason_code,
        "actor": change.actor,
        "trace_id": current_trace_id(),
        "payload_json": {**request, **one.payload, "canceled_job_id": str(canceled) if canceled else None},
        **one.columns,
    }


def _line(trail: AuditTrail, change: BulkChange, one: BotAudit, request: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": new_id(),
        "event_type": trail.feed_event,
        "bot_id": one.bot_id,
        "job_id": None,
        "actor": change.actor,
        "trace_id": current_trace_id(),
        "message": one.message,
        "payload": {**request, **one.message_payload},
    }
