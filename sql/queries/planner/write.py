"""What a tick writes: jobs, decisions, the tick itself; each one statement, whatever the number of bots."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, delete, exists, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from fleet.closed_sets import TradeSource
from fleet.jobs import ACTIVE
from sql.tables.bots import Bot, BotBoundary
from sql.tables.improvements import ImprovementProgress
from sql.tables.jobs import BotJob
from sql.tables.planner import BotDecision, PlannerRun

PRUNE_AT_ONCE: Final = 5_000
# created_at grows along the plan's order: workers take the oldest first, and a statement has one clock only.
_JOBS: Final = text(
    """
    INSERT INTO bot_jobs (id, root_job_id, bot_id, job_type, kind, status, attempt, max_attempts, iteration,
                          actor, trace_id, created_at)
    SELECT p.id, coalesce(p.root_job_id, p.id), p.bot_id, p.job_type, p.kind, 'QUEUED', p.attempt, :max_attempts,
           coalesce(e.iteration, 0) + CASE WHEN p.root_job_id IS NULL THEN 1 ELSE 0 END,
           :actor, :trace_id, clock_timestamp() + p.place * interval '1 microsecond'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:roots AS uuid[]), CAST(:bot_ids AS uuid[]), CAST(:types AS text[]),
                CAST(:kinds AS text[]), CAST(:attempts AS int[]))
         WITH ORDINALITY p (id, root_job_id, bot_id, job_type, kind, attempt, place)
    LEFT JOIN LATERAL (SELECT iteration FROM bot_jobs j WHERE j.bot_id = p.bot_id AND j.job_type = p.job_type
                       ORDER BY created_at DESC, id DESC LIMIT 1) e ON true
    ON CONFLICT (bot_id) WHERE status IN ('QUEUED', 'RUNNING') DO NOTHING
    RETURNING id
    """
)
_LEDGER: Final = text(
    """
    INSERT INTO job_run_events (job_id, from_status, to_status, reason_code, trace_id, metadata)
    SELECT id, NULL, 'QUEUED', CASE WHEN attempt > 1 THEN 'RETRY' ELSE 'PLANNED' END, trace_id,
           jsonb_build_object('attempt', attempt)
    FROM unnest(CAST(:ids AS uuid[])) t (id) JOIN bot_jobs USING (id)
    """
)
_ACTIVITY: Final = text(
    """
    INSERT INTO activity_events (id, event_type, bot_id, job_id, actor, message, payload, trace_id)
    SELECT t.id, j.job_type || '_QUEUED', j.bot_id, j.id, j.actor,
           CASE j.job_type WHEN 'BACKTEST' THEN 'Backtest' WHEN 'IMPROVE' THEN 'Improvement' ELSE 'Evolution' END
             || ' queued, attempt ' || j.attempt || ': ' || t.reason || '.',
           jsonb_build_object('reason_code', t.reason, 'kind', j.kind), j.trace_id
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:ids AS uuid[]), CAST(:reasons AS text[])) t (id, job_id, reason)
    JOIN bot_jobs j ON j.id = t.job_id
    """
)


_DECISIONS: Final = text(
    """
    INSERT INTO autonomy_bot_decisions (id, bot_id, planner_run_id, enqueued, reason_code, not_started, job_id,
                                        job_type, created_at)
    SELECT d.id, d.bot_id, :run_id, d.job_id IS NOT NULL, d.reason_code, d.not_started, d.job_id, d.job_type, n.now
    FROM unnest(CAST(:id AS uuid[]), CAST(:bot_id AS uuid[]), CAST(:reason_code AS text[]),
                CAST(:not_started AS text[]), CAST(:job_id AS uuid[]), CAST(:job_type AS text[]))
         d (id, bot_id, reason_code, not_started, job_id, job_type),
         (SELECT clock_timestamp() AS now) n
    """
)


class NewDecision(NamedTuple):
    """What a tick decided of a bot. job_id, job_type: of the job it planned, None where it planned none."""

    id: UUID
    bot_id: UUID
    reason_code: str
    not_started: str | None
    job_id: UUID | None
    job_type: str | None


class Held(NamedTuple):
    """A bot as it is under its lock."""

    bot_id: UUID
    stage: str
    version_id: UUID | None
    epoch: int


class NewJob(NamedTuple):
    """A job to insert. root_job_id: None for a new root. reason: why it is due."""

    id: UUID
    root_job_id: UUID | None
    bot_id: UUID
    job_type: str
    kind: str | None
    attempt: int
    reason: str


def hold_bots(session: Session, bot_ids: Sequence[UUID]) -> Sequence[Held]:
    """Hold active bots by id until the transaction ends, and return them as they are now.

    Bots that someone is changing at this moment are left out, and found by the next tick.
    """
    query = (
        select(Bot.id, Bot.stage, Bot.current_version_id, BotBoundary.epoch)
        .join(BotBoundary, and_(BotBoundary.bot_id == Bot.id, BotBoundary.source == TradeSource.BACKTEST))
        .where(Bot.id == func.any(bindparam("bot_ids", bot_ids, ARRAY(Uuid()))), Bot.archived_at.is_(None))
        .order_by(Bot.id)
        .with_for_update(key_share=True, of=[Bot], skip_locked=True)
    )
    return [Held(*row) for row in session.execute(query)]


def insert_jobs(
    session: Session, jobs: Sequence[NewJob], *, event_ids: Sequence[UUID], max_attempts: int, actor: str, trace_id: str
) -> frozenset[UUID]:
    """Queue jobs in this order, with ledger and feed; return those that were: a bot that is busy gets none."""
    if not jobs:
        return frozenset()
    values: dict[str, Any] = {
        "ids": _uuids(job.id for job in jobs),
        "roots": _uuids(job.root_job_id for job in jobs),
        "bot_ids": _uuids(job.bot_id for job in jobs),
        "types": _array(job.job_type for job in jobs),
        "kinds": _array(job.kind for job in jobs),
        "attempts": [job.attempt for job in jobs],
        "max_attempts": max_attempts,
        "actor": actor,
        "trace_id": trace_id,
    }
    made = frozenset(session.scalars(_JOBS, values))
    told = [(event_id, job) for event_id, job in zip(event_ids, jobs, strict=True) if job.id in made]
    ids = _uuids(job.id for _, job in told)
    session.execute(_LEDGER, {"ids": ids})
    values = {"event_ids": _uuids(event_id for event_id, _ in told), "reasons": _array(job.reason for _, job in told)}
    session.execute(_ACTIVITY, {"ids": ids, **values})
    return made


def insert_run(session: Session, values: dict[str, Any]) -> None:
    """Write a tick."""
    session.execute(insert(PlannerRun), [values])


def insert_decisions(session: Session, decisions: Sequence[NewDecision], *, run_id: UUID) -> None:
    """Write decisions that changed, all at one time."""
    if decisions:
        columns = {
            "id": _uuids(one.id for one in decisions),
            "bot_id": _uuids(one.bot_id for one in decisions),
            "reason_code": _array(one.reason_code for one in decisions),
            "not_started": _array(one.not_started for one in decisions),
            "job_id": _uuids(one.job_id for one in decisions),
            "job_type": _array(one.job_type for one in decisions),
        }
        session.execute(_DECISIONS, {"run_id": run_id, **columns})


def prune_runs(session: Session, *, older_than: timedelta, keep: int) -> int:
    """Delete old ticks, but for the newest `keep` and the newest one that enqueued something; return how many."""
    kept = select(PlannerRun.id).order_by(PlannerRun.started_at.desc(), PlannerRun.id.desc()).limit(keep)
    busy = (
        select(PlannerRun.id)
        .where(PlannerRun.jobs_enqueued > 0)
        .order_by(PlannerRun.started_at.desc(), PlannerRun.id.desc())
        .limit(1)
    )
    old = (
        select(PlannerRun.id)
        .where(
            PlannerRun.started_at < func.clock_timestamp() - older_than,
            PlannerRun.id.not_in(kept),
            PlannerRun.id.not_in(busy),
        )
        .limit(PRUNE_AT_ONCE)
    )
    return len(session.scalars(delete(PlannerRun).where(PlannerRun.id.in_(old)).returning(PlannerRun.id)).all())


def prune_decisions(session: Session, *, older_than: timedelta) -> int:
    """Delete old decisions, but for the newest of each bot; return how many."""
    newer = aliased(BotDecision)
    old = (
        select(BotDecision.id)
        .where(
            BotDecision.created_at < func.clock_timestamp() - older_than,
            exists().where(newer.bot_id == BotDecision.bot_id, newer.created_at > BotDecision.created_at),
        )
        .limit(PRUNE_AT_ONCE)
    )
    return len(session.scalars(delete(BotDecision).where(BotDecision.id.in_(old)).returning(BotDecision.id)).all())


def prune_progress(session: Session, *, older_than: timedelta) -> int:
    """Delete old states of improvements that nobody goes on with: canceled, or lost for good; return how many."""
    goes_on = exists().where(BotJob.root_job_id == ImprovementProgress.root_job_id, BotJob.status.in_(ACTIVE))
    query = delete(ImprovementProgress).where(
        ImprovementProgress.updated_at < func.clock_timestamp() - older_than, ~goes_on
    )
    return len(session.scalars(query.returning(ImprovementProgress.root_job_id)).all())


def _uuids(values: Iterable[UUID | None]) -> str:
    return _array(None if value is None else value.hex for value in values)


def _array(values: Iterable[str | None]) -> str:
    """Write an array as Postgres reads it: the driver takes 3 us for each element of a list, and there are 160,000."""
    return "{" + ",".join("NULL" if value is None else f'"{_escaped(value)}"' for value in values) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
