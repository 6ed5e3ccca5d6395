"""Keeps the fleet working: rescues lost jobs, notices dead workers, and starts enough of them.

Nothing here needs the previous tick: rows and runs are compared as they stand, so a tick evaluated twice, late, or by a
second daemon changes nothing more. A worker's run key is the id of its row: Dagster starts it once.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets import reset_backfill
from assets.bots import RESET_TAG
from assets.domain import Domain
from assets.worker import TYPE_TAG, WORKER_TAG
from fleet.closed_sets import JobType
from fleet.workers import RunState
from orchestration.jobs import WORKER
from orchestration.sensors.loops import noted
from services.jobs.reaper import Reaper, fail_jobs_of_dead_runs, holders
from services.work import workers

STATES: Final = {
    DagsterRunStatus.STARTED: RunState.RUNNING,
    DagsterRunStatus.CANCELING: RunState.RUNNING,
    DagsterRunStatus.SUCCESS: RunState.SUCCEEDED,
    DagsterRunStatus.FAILURE: RunState.FAILED,
    DagsterRunStatus.CANCELED: RunState.CANCELED,
}
ENDED: Final = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
ACTOR: Final = "workers"


@sensor(
    description="Rescues lost jobs and keeps enough workers alive for the jobs that are due.",
    job_name=WORKER,
    minimum_interval_seconds=2,
    default_status=DefaultSensorStatus.RUNNING,
)
def workers_alive(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SensorResult | SkipReason:
    """Reap, compare with Dagster's runs, and request the missing workers."""
    with noted(domain, "workers_alive") as this:
        result = _tended(context, domain)
        this.message = (
            result.skip_message or ""
            if isinstance(result, SkipReason)
            else f"{len(result.run_requests or ())} workers requested."
        )
    return result


def _tended(context: SensorEvaluationContext, domain: Domain) -> SensorResult | SkipReason:
    terms = domain.terms
    rescued = _reaper(terms.lease.lease_s).tick(domain.tx, actor=ACTOR, max_job_minutes=terms.max_job_minutes)
    dead = fail_jobs_of_dead_runs(domain.tx, dead_runs(context.instance, holders(domain.tx)), actor=ACTOR)
    demand = workers.tend(
        domain.tx,
        states_of(context.instance, workers.living_ids(domain.tx)),
        caps=terms.caps,
        most=domain.max_workers,
        chunk=terms.chunk,
        actor=ACTOR,
    )
    lost = len(rescued.timed_out) + len(dead.timed_out)
    message = f"{demand.due} jobs due, {demand.living} workers live, {len(demand.ended)} ended, {lost} jobs rescued."
    if not demand.start:
        return SkipReason(message)
    context.log.info(f"{message} Starting {len(demand.start)}.")
    reset = reset_backfill.left_to_workers(context.instance, domain.tx)
    return SensorResult(
        run_requests=[
            RunRequest(
                run_key=str(worker_id),
                job_name=WORKER,
                tags={
                    WORKER_TAG: str(worker_id),
                    TYPE_TAG: (JobType.IMPROVE if worker_id in demand.improving else JobType.BACKTEST).value,
                    **({RESET_TAG: str(reset.request_id)} if reset else {}),
                },
            )
            for worker_id in demand.start
        ]
    )


def states_of(instance: DagsterInstance, ids: Sequence[UUID]) -> Mapping[str, RunState]:
    """Return the status of these workers' runs in Dagster, by worker id; those without a run are left out."""
    if not ids:
        return {}
    records = instance.get_run_records(RunsFilter(tags={WORKER_TAG: [str(worker_id) for worker_id in ids]}))
    return {
        record.dagster_run.tags[WORKER_TAG]: STATES.get(record.dagster_run.status, RunState.WAITING)
        for record in records
    }


def dead_runs(instance: DagsterInstance, run_ids: Sequence[str]) -> Sequence[str]:
    """Return which of these runs are over, by Dagster's word; a run it doesn't know isn't judged."""
    if not run_ids:
        return []
    records = instance.get_run_records(RunsFilter(run_ids=list(run_ids), statuses=list(ENDED)))
    return [record.dagster_run.run_id for record in records]


@lru_cache(maxsize=8)
def _reaper(lease_s: float) -> Reaper:
    """One a process: it compares the database's clock with this machine's from tick to tick."""
    return Reaper(lease_s)
