"""Reads and writes of worker runs."""

from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile
from uuid import UUID

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob
from sql.tables.workers import WorkerRun

LAST_WORKERS = 12
WELL = frozenset({"IDLE", "LIFE_OVER", "RUN_SUCCEEDED"})


def try_lock(session: Session, key: int) -> bool:
    """Take a lock until the transaction ends; False when another one has it."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(key))))


def living(session: Session) -> Sequence[tuple[WorkerRun, float]]:
    """Return workers that have not ended, oldest first, with seconds since they were last heard of."""
    silent = func.extract(
        "epoch", func.clock_timestamp() - func.coalesce(WorkerRun.heartbeat_at, WorkerRun.requested_at)
    )
    query = select(WorkerRun, silent).where(WorkerRun.ended_at.is_(None)).order_by(WorkerRun.requested_at, WorkerRun.id)
    return [(row, float(seconds)) for row, seconds in session.execute(query)]


def end(session: Session, reasons: Mapping[UUID, str]) -> None:
    """End workers, each with its reason."""
    if reasons:
        query = (
            update(WorkerRun)
            .where(WorkerRun.id.in_(reasons), WorkerRun.ended_at.is_(None))
            .values(
                ended_at=func.clock_timestamp(),
                end_reason=case(dict(reasons.items()), value=WorkerRun.id, else_="UNKNOWN"),
            )
            .execution_options(synchronize_session=False)
        )
        session.execute(query)


def failures_in_a_row(session: Session, job_type: JobType) -> tuple[int, float]:
    """Return how many of the last workers of a type ended one after the other without a job done.

    And seconds since the last of them.
    """
    age = func.extract("epoch", func.clock_timestamp() - WorkerRun.ended_at)
    query = (
        select(WorkerRun.jobs_done, WorkerRun.end_reason, age)
        .where(WorkerRun.ended_at.is_not(None), WorkerRun.job_type == job_type)
        .order_by(WorkerRun.ended_at.desc(), WorkerRun.id.desc())
        .limit(LAST_WORKERS)
    )
    rows = session.execute(query).all()
    failed = list(takewhile(lambda row: row[0] == 0 and row[1] not in WELL, rows))
    return len(failed), float(failed[0][2]) if failed else 0.0


def begin(session: Session, worker_id: UUID, *, run_id: str) -> bool:
    """Note the run of a worker that has none and has not ended."""
    query = (
        update(WorkerRun)
        .where(
            WorkerRun.id == worker_id,
            WorkerRun.ended_at.is_(None),
            or_(WorkerRun.run_id.is_(None), WorkerRun.run_id == run_id),
        )
        .values(run_id=run_id, heartbeat_at=func.clock_timestamp())
        .returning(WorkerRun.id)
    )
    return session.scalar(query) is not None


def beat(session: Session, worker_id: UUID, *, jobs_done: int) -> bool:
    """Note a heartbeat of a worker that has not ended."""
    query = (
        update(WorkerRun)
        .where(WorkerRun.id == worker_id, WorkerRun.ended_at.is_(None))
        .values(heartbeat_at=func.clock_timestamp(), jobs_done=jobs_done)
        .returning(WorkerRun.id)
    )
    return session.scalar(query) is not None


def finish(session: Session, worker_id: UUID, *, reason: str, jobs_done: int) -> None:
    """Note the end that a worker came to by itself."""
    query = (
        update(WorkerRun)
        .where(WorkerRun.id == worker_id, WorkerRun.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), end_reason=reason, jobs_done=jobs_done)
    )
    session.execute(query)


def due_jobs(session: Session, job_types: Collection[JobType]) -> int:
    """Count QUEUED jobs of these types, of active bots, that may be claimed now."""
    query = (
        select(func.count())
        .select_from(BotJob)
        .join(Bot, Bot.id == BotJob.bot_id)
        .where(
            BotJob.status == JobStatus.QUEUED,
            BotJob.job_type.in_(job_types),
            Bot.archived_at.is_(None),
            or_(BotJob.not_before.is_(None), BotJob.not_before <= func.clock_timestamp()),
        )
    )
    return session.scalar(query) or 0
