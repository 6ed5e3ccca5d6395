"""Proof of what was planned: the planner's ticks with their counts, and what was decided of each bot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import invalid
from fleet.closed_sets import DueReason, JobType, NotEnqueued, NotStarted
from services.events import require_bot
from services.reads import After
from sql.queries import proof_autonomy as queries
from sql.queries.proof_autonomy import DecisionRow
from sql.tables.planner import PlannerRun

__all__ = ["AutonomyProof", "DecisionPage", "DecisionRow", "TickProof", "newest_tick", "of_autonomy", "page_decisions"]
MOST_RUNS: Final = 50
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


@dataclass(frozen=True, slots=True)
class AutonomyProof:
    """The newest 50 ticks, newest first, and at the end the newest one that enqueued something, if older than those."""

    latest_run: TickProof | None
    runs: Sequence[TickProof]


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """A page of decisions; `following` is where the next one starts."""

    decisions: Sequence[DecisionRow]
    following: After | None


def of_autonomy(session: Session) -> AutonomyProof:
    """Return the proof, in two queries."""
    # The busy one first: a tick that comes between the two is then among the newest, and never the older one.
    busy = queries.newest_that_enqueued(session)
    found = list(queries.runs(session, limit=MOST_RUNS))
    if busy is not None and busy.id not in {run.id for run in found}:
        found.append(busy)
    runs = [_shown(run) for run in found]
    return AutonomyProof(runs[0] if runs else None, runs)


def newest_tick(session: Session) -> TickProof | None:
    """Return the newest tick, in one query."""
    found = queries.runs(session, limit=1)
    return _shown(found[0]) if found else None


def page_decisions(
    session: Session, *, bot_id: UUID | None, reason: str | None, after: After | None, limit: int
) -> DecisionPage:
    """Return each bot's newest decision (archived bots too), newest bot first; with bot_id, that bot's, newest first.

    reason: only decisions with this code, be it why a job was planned, why none was, or why it can't start.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown reason; NOT_FOUND for an unknown bot.

    """
    _check_reason(reason)
    if bot_id is None:
        rows = queries.newest_decisions(session, reason=reason, after=after, limit=limit)
        last = rows[limit - 1] if len(rows) > limit else None
        return DecisionPage(rows[:limit], After(last.bot_created_at, last.bot_id) if last else None)
    require_bot(session, bot_id)
    rows = queries.decisions_of(session, bot_id, reason=reason, after=after, limit=limit)
    last = rows[limit - 1] if len(rows) > limit else None
    return DecisionPage(rows[:limit], After(last.created_at, last.id) if last else None)


def _shown(run: PlannerRun) -> TickProof:
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
