"""The planner's ticks and what each decided of a bot, read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import invalid
from fleet.closed_sets import DueReason, JobType, NotEnqueued, NotStarted
from services.finding import require_bot
from sql.queries.paging import After, Page
from sql.queries.planner import ticks as queries
from sql.queries.planner.ticks import DecisionRow
from sql.tables.planner import PlannerRun

__all__ = ["DecisionRow", "TickProof", "newest_tick", "page_decisions", "tick_proof"]
_COUNTED: Final[Mapping[str, type[JobType] | type[NotEnqueued] | type[NotStarted]]] = {
    "jobs_enqueued_by_type": JobType,
    "currently_running_jobs_by_type": JobType,
    "not_enqueued_reasons": NotEnqueued,
    "not_started_reasons": NotStarted,
}


@dataclass(frozen=True, slots=True)
class TickProof:
    """One tick. summary: its counts as they were noted; a code that was added since stands there at 0."""

    id: UUID
    started_at: datetime
    finished_at: datetime
    trace_id: str
    cause: str
    jobs_enqueued: int
    summary: Mapping[str, Any]


def newest_tick(session: Session) -> TickProof | None:
    """Return the newest tick, in one query."""
    found = queries.runs(session, limit=1)
    return tick_proof(found[0]) if found else None


def page_decisions(
    session: Session, *, bot_id: UUID | None, reason: str | None, after: After | None, limit: int
) -> Page[DecisionRow, After]:
    """Return each bot's newest decision (archived bots too), newest bot first; with bot_id, that bot's, newest first.

    reason: only decisions with this code, be it why a job was planned, why none was, or why it can't start.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown reason; NOT_FOUND for an unknown bot.

    """
    _check_reason(reason)
    if bot_id is None:
        return queries.newest_decisions(session, reason=reason, after=after, limit=limit)
    require_bot(session, bot_id)
    return queries.decisions_of(session, bot_id, reason=reason, after=after, limit=limit)


def tick_proof(run: PlannerRun) -> TickProof:
    """Return a tick as it is shown: every code that can be counted, at 0 where the tick counted none."""
    counts = {
        name: dict.fromkeys((code.value for code in codes), 0) | run.summary.get(name, {})
        for name, codes in _COUNTED.items()
    }
    return TickProof(
        run.id,
        run.started_at,
        run.finished_at,
        run.trace_id,
        run.cause,
        run.jobs_enqueued,
        {**run.summary, **counts},
    )


def _check_reason(reason: str | None) -> None:
    known = [code.value for codes in (DueReason, NotEnqueued, NotStarted) for code in codes]
    if reason is not None and reason not in known:
        raise invalid(f"Unknown reason {reason!r}.", fix=f"Use one of {', '.join(known)}.", field="reason")
