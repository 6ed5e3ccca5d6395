"""Starts a run for each queued job that no live run will take: what is queued needs no click, not even after a kill.

A run carries its job in the tag `gantry/job`. A job whose runs all ended without claiming it is started again, ever
later: something is wrong with the machine rather than with the job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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

from assets.bots import JOB_TAG, TRACE_TAG
from assets.domain import Domain
from assets.partitions import BOTS
from core.clock import utc_now
from orchestration.jobs import GRADE_BOTS, grade_bots
from services import bot_keys, jobs
from services.jobs import QueuedJob

MOST_AT_ONCE: Final = 20
FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=10)
ENDED: Final = frozenset({DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class Tries:
    """Runs that were started for one job: whether one lives, how many ended, when the last one did."""

    live: bool = False
    ended: int = 0
    last_ended_at: datetime | None = None


def due(queued: Sequence[QueuedJob], tries: Mapping[UUID, Tries], now: datetime) -> tuple[QueuedJob, ...]:
    """Return the jobs to start a run for, oldest first: none of theirs lives, and the pause since the last is over."""
    return tuple(job for job in queued if _is_due(tries.get(job.job_id, Tries()), now))[:MOST_AT_ONCE]


def _is_due(tries: Tries, now: datetime) -> bool:
    if tries.live:
        return False
    if tries.last_ended_at is None:
        return True
    doublings: int = min(tries.ended - 1, 10)
    pause = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    return now - tries.last_ended_at >= pause


def tries_of(instance: DagsterInstance, queued: Sequence[QueuedJob]) -> dict[UUID, Tries]:
    """Read the runs that carry these jobs' ids."""
    if not queued:
        return {}
    records = instance.get_run_records(RunsFilter(tags={JOB_TAG: [str(job.job_id) for job in queued]}))
    found: dict[UUID, Tries] = {}
    for record in records:
        job_id = UUID(record.dagster_run.tags[JOB_TAG])
        before = found.get(job_id, Tries())
        if record.dagster_run.status not in ENDED:
            found[job_id] = Tries(True, before.ended, before.last_ended_at)
            continue
        ended_at = max(filter(None, (before.last_ended_at, record.update_timestamp)))
        found[job_id] = Tries(before.live, before.ended + 1, ended_at)
    return found


@sensor(
    description="Starts a run for each queued job that has no live run.",
    job=grade_bots,
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
)
def queued_jobs(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SensorResult | SkipReason:
    """Read the queue, then the runs, then ask for what is missing."""
    with domain.tx() as session:
        queued = jobs.queued(session)
        active = set(bot_keys.active(session)) if queued else set()
    queued = tuple(job for job in queued if job.bot_id in active)
    chosen = due(queued, tries_of(context.instance, queued), utc_now())
    if not chosen:
        return SkipReason(f"{len(queued)} queued jobs, each with a live run or waiting for its next try.")
    known = set(context.instance.get_dynamic_partitions(BOTS.name or ""))
    unknown = [str(job.bot_id) for job in chosen if str(job.bot_id) not in known]
    return SensorResult(
        run_requests=[_request(job) for job in chosen],
        dynamic_partitions_requests=[BOTS.build_add_request(unknown)] if unknown else [],
    )


def _request(job: QueuedJob) -> RunRequest:
    """No run key: a key whose run failed would never be started again."""
    return RunRequest(
        job_name=GRADE_BOTS,
        partition_key=str(job.bot_id),
        tags={JOB_TAG: str(job.job_id), TRACE_TAG: job.trace_id},
    )
