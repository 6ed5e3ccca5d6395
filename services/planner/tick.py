"""The planner's tick: read the fleet, plan, write jobs and what was decided of each bot, in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.collection import garbage_kept
from core.errors import GantryError
from core.ids import new_id
from core.log import get_logger
from core.trace import current_trace_id
from fleet.closed_sets import Stage, TickCause
from fleet.jobs import JobReason
from fleet.planner.plan import plan
from fleet.planner.result import FleetPlan, PlannedJob, summarise
from fleet.planner.types import BotSnapshot, FleetSnapshot
from fleet.roles import PLANNER
from services.jobs.enqueue import enqueue_jobs
from services.planner.snapshot import read_fleet
from services.planner.terms import PlannerTerms
from services.promotion.decide import promote
from sql.engine import Transactions
from sql.queries import clock as clock_queries
from sql.queries.jobs.enqueue import NewJob
from sql.queries.planner import snapshot as queries
from sql.queries.planner import write as writes
from sql.queries.planner.write import NewDecision

KEEP: Final = timedelta(days=7)  # ticks and decisions; the newest of each bot stays
KEEP_RUNS: Final = 50
MOST_PROMOTED: Final = 50  # in one tick; the others are due in the next one too
ACTOR: Final = "planner"
Decision = tuple[bool, str, str | None]  # enqueued, reason code, why its job can't start


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick that was made."""

    id: UUID
    summary: Mapping[str, object]
    queued: tuple[NewJob, ...]
    decisions_changed: int
    promoted: tuple[UUID, ...] = ()

    @property
    def jobs_enqueued(self) -> int:
        """How many jobs it queued."""
        return len(self.queued)


def run_tick(tx: Transactions, terms: PlannerTerms, *, cause: TickCause, actor: str = ACTOR) -> Tick | None:
    """Plan once, and promote who is due (a flow); None while another planner is at it. Times are the database's."""
    with garbage_kept(), tx() as session:
        if not queries.try_planner_lock(session):
            return None
        started_at = clock_queries.database_time(session)
        fleet = read_fleet(
            session,
            terms.suppliers,
            started_at,
            evolve_after=terms.caps.evolve_after,
            development=terms.development,
            min_sessions=terms.min_sessions,
        )
        planned = plan(fleet, terms.caps, started_at)
        made = _enqueue(session, fleet, planned, terms, actor)
        done = _note(session, fleet, planned, made, terms, cause, started_at)
    return replace(done, promoted=_promote(tx, planned.promote[:MOST_PROMOTED], terms, started_at))


def is_unseen(tx: Transactions, cause: TickCause) -> bool:
    """Whether a reset or a change of stage happened after the newest tick began (a flow).

    One that is committed late is not seen here, but by the next tick: that goes by the state of the fleet.
    """
    with tx() as session:
        if cause is TickCause.METRICS_RESET:
            return queries.reset_since_last_tick(session)
        return cause is TickCause.STAGE_CHANGE and queries.stage_changed_since_last_tick(session)


def prune_ticks(tx: Transactions) -> int:
    """Delete ticks, decisions and left improvements older than a week, a bounded number at a time (a flow)."""
    with tx() as session:
        gone = writes.prune_runs(session, older_than=KEEP, keep=KEEP_RUNS)
        gone += writes.prune_decisions(session, older_than=KEEP)
        return gone + writes.prune_progress(session, older_than=KEEP)


def _enqueue(
    session: Session, fleet: FleetSnapshot, planned: FleetPlan, terms: PlannerTerms, actor: str
) -> Mapping[UUID, NewJob]:
    """Queue what is planned for bots that are still as they were seen; return the jobs by bot."""
    if not planned.enqueue:
        return {}
    seen = {bot.id: bot for bot in fleet.bots}
    held = {one.bot_id: one for one in writes.hold_bots(session, [job.bot_id for job in planned.enqueue])}
    jobs = [
        _job(job)
        for job in planned.enqueue
        if (now := held.get(job.bot_id)) is not None and _same(seen[job.bot_id], now)
    ]
    made = enqueue_jobs(session, jobs, reason=JobReason.PLANNED, actor=actor, max_attempts=terms.max_attempts)
    return {job.bot_id: job for job in jobs if job.id in made}


def _promote(tx: Transactions, bot_ids: Sequence[UUID], terms: PlannerTerms, now: datetime) -> tuple[UUID, ...]:
    """Promote bots by their gates alone, each in its own transaction; whom a gate stops now is left where it is."""
    done = []
    for bot_id in bot_ids:
        try:
            with tx() as session:
                promote(session, bot_id, by=PLANNER, now=now, development=terms.development, seen=Stage.LAB)
        except GantryError as refused:
            get_logger("planner").info("not_promoted", bot_id=str(bot_id), code=refused.code.value)
        else:
            done.append(bot_id)
    return tuple(done)


def _job(job: PlannedJob) -> NewJob:
    root, attempt = (job.retry.root_job_id, job.retry.attempt) if job.retry else (None, 1)
    return NewJob(new_id(), job.bot_id, job.job_type, job.kind, root, attempt, job.reason)


def _same(seen: BotSnapshot, now: writes.LockedBot) -> bool:
    return (seen.stage.value, seen.version_id, seen.epoch) == (now.stage, now.version_id, now.epoch)


def _note(
    session: Session,
    fleet: FleetSnapshot,
    planned: FleetPlan,
    made: Mapping[UUID, NewJob],
    terms: PlannerTerms,
    cause: TickCause,
    started_at: datetime,
) -> Tick:
    """Write the tick and the decisions that changed. Counts are of what was written, not of what was meant."""
    written = tuple(job for job in planned.enqueue if job.bot_id in made)
    summary = summarise(
        fleet,
        terms.caps,
        written,
        planned.not_enqueued,
        planned.not_started,
        eligible=planned.summary.eligible_candidates_count,
    ).as_json()
    run_id = new_id()
    changed = list(_changed(session, planned, made))
    writes.insert_decisions(session, changed, run_id=run_id)
    writes.insert_run(
        session,
        {
            "id": run_id,
            "cause": cause,
            "started_at": started_at,
            "finished_at": clock_queries.database_time(session),
            "jobs_enqueued": len(made),
            "summary": summary,
            "trace_id": current_trace_id(),
        },
    )
    return Tick(run_id, summary, tuple(made.values()), len(changed))


def _changed(session: Session, planned: FleetPlan, made: Mapping[UUID, NewJob]) -> Iterator[NewDecision]:
    before = {row.bot_id: (row.enqueued, row.reason_code, row.not_started) for row in queries.decisions(session)}
    for bot_id, decision in _decisions(planned, made):
        enqueued, reason, waits = decision
        if enqueued or before.get(bot_id) != decision:
            job = made.get(bot_id) if enqueued else None
            yield NewDecision(new_id(), bot_id, reason, waits, job.id if job else None, job.job_type if job else None)


def _decisions(planned: FleetPlan, made: Mapping[UUID, NewJob]) -> Sequence[tuple[UUID, Decision]]:
    """Return what is decided of each bot; one whose planned job couldn't be written is left as it was."""
    waits = {bot_id: code.value for bot_id, code in planned.not_started.items()}
    found: list[tuple[UUID, Decision]] = [
        (job.bot_id, (True, job.reason.value, waits.get(job.bot_id))) for job in planned.enqueue if job.bot_id in made
    ]
    found += [(bot_id, (False, code.value, waits.get(bot_id))) for bot_id, code in planned.not_enqueued.items()]
    return found
