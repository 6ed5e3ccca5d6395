"""Worker runs: how many should live, the wish for one, its heartbeat and its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core.ids import new_id
from core.trace import current_trace_id
from fleet.caps import BACKTESTS, IMPROVING, Caps
from fleet.closed_sets import JobType, SystemEvent
from fleet.workers import RunState, Worker, ended, pause_after, wanted
from services import events
from sql.engine import Transactions
from sql.queries.jobs import claim as claim_queries
from sql.queries.work import workers as worker_queries
from sql.tables.workers import WorkerRun

WORKERS_LOCK = 0x7772_6B73  # "wrks"


@dataclass(frozen=True, slots=True)
class Demand:
    """What a tick decided: workers to start under these run keys, those that ended, and what waits.

    improving: those to start that are for improvements; the others are for backtests.
    """

    start: tuple[UUID, ...]
    ended: tuple[UUID, ...]
    living: int
    due: int
    improving: frozenset[UUID] = frozenset()


def tend(tx: Transactions, runs: Mapping[str, RunState], *, caps: Caps, most: int, chunk: int, actor: str) -> Demand:
    """Close the rows of workers that are gone, and see that enough live for the jobs that are due (a flow).

    runs: what Dagster says of the runs of living workers, by worker id. most: workers for backtests at once; as
    many more may live for improvements as may run at once. chunk: backtests a worker takes. One tick
    at a time; a worker that was requested and has no run yet is requested again under the same key, so that Dagster
    starts it once.
    """
    with tx() as session:
        if not worker_queries.try_lock(session, WORKERS_LOCK):
            return Demand((), (), 0, 0)
        rows = [_worker(row, runs) for row in worker_queries.living(session)]
        gone = {worker.id: reason for worker in rows if (reason := ended(worker)) is not None}
        worker_queries.end(session, gone)
        if gone:
            events.note(
                session,
                SystemEvent.WORKER_LOST,
                f"{len(gone)} workers ended: {', '.join(sorted(set(gone.values())))}.",
                actor=actor,
                payload={str(worker_id): reason for worker_id, reason in gone.items()},
            )
        living = [worker for worker in rows if worker.id not in gone]
        running = claim_queries.running_by_type(session)
        start: dict[UUID, JobType] = {worker.id: worker.job_type for worker in living if worker.run is None}
        total = 0
        for job_type, types, limit, size in (
            (JobType.BACKTEST, BACKTESTS, most, chunk),
            (JobType.IMPROVE, IMPROVING, caps.max_improve_running, 1),
        ):
            due = worker_queries.due_jobs(session, types)
            need = wanted(due=due, free=caps.free(job_type, running), chunk=size, most=limit)
            failures, since_s = worker_queries.failures_in_a_row(session, job_type)
            alive = sum(worker.job_type is job_type for worker in living)
            if since_s >= pause_after(failures):
                start |= {_ask(session, job_type): job_type for _ in range(need - alive)}
            total += due
        improving = frozenset(worker_id for worker_id, kind in start.items() if kind is JobType.IMPROVE)
        return Demand(tuple(start), tuple(gone), len(living), total, improving)


def living_ids(tx: Transactions) -> Sequence[UUID]:
    """Return the ids of workers that have not ended."""
    with tx() as session:
        return [row.id for row, _age in worker_queries.living(session)]


def begin(tx: Transactions, worker_id: UUID, *, run_id: str) -> bool:
    """Note that a run took a worker's place; False when the row ended meanwhile, or another run has it: stop."""
    with tx() as session:
        return worker_queries.begin(session, worker_id, run_id=run_id)


def finish(tx: Transactions, worker_id: UUID, *, reason: str, jobs_done: int) -> None:
    """Note a worker's own end."""
    with tx() as session:
        worker_queries.finish(session, worker_id, reason=reason, jobs_done=jobs_done)


def beat(tx: Transactions, worker_id: UUID, *, jobs_done: int) -> bool:
    """Note that a worker lives; False when its row ended: it should stop."""
    with tx() as session:
        return worker_queries.beat(session, worker_id, jobs_done=jobs_done)


def _ask(session: Session, job_type: JobType) -> UUID:
    row = WorkerRun(id=new_id(), job_type=job_type, trace_id=current_trace_id())
    session.add(row)
    session.flush()
    return row.id


def _worker(row: tuple[WorkerRun, float], runs: Mapping[str, RunState]) -> Worker:
    worker, silent_s = row
    began, run = worker.heartbeat_at is not None, runs.get(str(worker.id))
    return Worker(worker.id, silent_s, began, run, JobType(worker.job_type))
