"""What a tick writes but for its jobs: decisions, the tick itself; each one statement, whatever the number of bots."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, exists, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from fleet.jobs import ACTIVE
from sql.arrays import text_array, uuid_array
from sql.queries import current
from sql.tables.bots import Bot, BotBoundary
from sql.tables.improvements import ImprovementProgress
from sql.tables.jobs import BotJob
from sql.tables.planner import BotDecision, PlannerRun

PRUNE_AT_ONCE: Final = 5_000
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


class LockedBot(NamedTuple):
    """A bot as it is under its lock."""

    bot_id: UUID
    stage: str
    version_id: UUID | None
    epoch: int


def hold_bots(session: Session, bot_ids: Sequence[UUID]) -> Sequence[LockedBot]:
    """Hold active bots by id until the transaction ends, and return them as they are now.

    Bots that someone is changing at this moment are left out, and found by the next tick.
    """
    query = (
        select(Bot.id, Bot.stage, Bot.current_version_id, BotBoundary.epoch)
        .join(BotBoundary, current.boundary_of(Bot.id))
        .where(Bot.id == func.any(bindparam("bot_ids", bot_ids, ARRAY(Uuid()))), Bot.archived_at.is_(None))
        .order_by(Bot.id)
        .with_for_update(key_share=True, of=[Bot], skip_locked=True)
    )
    return [LockedBot(*row) for row in session.execute(query)]


def insert_run(session: Session, values: dict[str, Any]) -> None:
    """Write a tick."""
    session.execute(insert(PlannerRun), [values])


def insert_decisions(session: Session, decisions: Sequence[NewDecision], *, run_id: UUID) -> None:
    """Write decisions that changed, all at one time."""
    if decisions:
        columns = {
            "id": uuid_array(one.id for one in decisions),
            "bot_id": uuid_array(one.bot_id for one in decisions),
            "reason_code": text_array(one.reason_code for one in decisions),
            "not_started": text_array(one.not_started for one in decisions),
            "job_id": uuid_array(one.job_id for one in decisions),
            "job_type": text_array(one.job_type for one in decisions),
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
