"""What a plan says: the jobs to enqueue, the reasons for those that aren't, and the counts that prove it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from fleet.closed_sets import BacktestKind, DueReason, JobType, NotEnqueued, NotStarted
from fleet.jobs import Retry
from fleet.planner.types import FleetSnapshot, PlannerCaps

Code = TypeVar("Code", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job to enqueue. kind: of a backtest, else None. retry: root and attempt of a due retry; None: a new root."""

    bot_id: UUID
    job_type: JobType
    kind: BacktestKind | None
    reason: DueReason
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """The counts of `/api/_proof/autonomy`, by their names there; every code is present, at 0 where there is none.

    eligible_candidates_count: bots that were due for a job; improvements beyond what runs soon get theirs later.
    """

    bots_evaluated: int
    eligible_candidates_count: int
    jobs_enqueued: int
    jobs_enqueued_by_type: Mapping[JobType, int]
    currently_running_jobs_by_type: Mapping[JobType, int]
    concurrency_caps: Mapping[str, int | None]
    not_enqueued_reasons: Mapping[NotEnqueued, int]
    not_started_reasons: Mapping[NotStarted, int]

    def as_json(self) -> dict[str, object]:
        """Return the counts ready for JSON."""
        return {
            "bots_evaluated": self.bots_evaluated,
            "eligible_candidates_count": self.eligible_candidates_count,
            "jobs_enqueued": self.jobs_enqueued,
            "jobs_enqueued_by_type": _texts(self.jobs_enqueued_by_type),
            "currently_running_jobs_by_type": _texts(self.currently_running_jobs_by_type),
            "concurrency_caps": dict(self.concurrency_caps),
            "not_enqueued_reasons": _texts(self.not_enqueued_reasons),
            "not_started_reasons": _texts(self.not_started_reasons),
        }


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """One tick's plan. Each bot of the snapshot is either in `enqueue` once or in `not_enqueued`.

    enqueue: in the order in which the jobs are to queue. not_started: bots whose job (QUEUED already or planned here)
    is due and can't start now; at most one job a bot, so the bot names it. promote: bots to be promoted by the gates
    alone; they get no further job in LAB.
    """

    enqueue: tuple[PlannedJob, ...]
    not_enqueued: Mapping[UUID, NotEnqueued]
    not_started: Mapping[UUID, NotStarted]
    summary: PlanSummary
    promote: tuple[UUID, ...] = ()


def summarise(
    snapshot: FleetSnapshot,
    caps: PlannerCaps,
    enqueue: tuple[PlannedJob, ...],
    not_enqueued: Mapping[UUID, NotEnqueued],
    not_started: Mapping[UUID, NotStarted],
    *,
    eligible: int,
) -> PlanSummary:
    """Count a plan. eligible: bots that were due for a job, those whose turn comes later among them."""
    return PlanSummary(
        bots_evaluated=len(snapshot.bots),
        eligible_candidates_count=eligible,
        jobs_enqueued=len(enqueue),
        jobs_enqueued_by_type=_counted(JobType, (job.job_type for job in enqueue)),
        currently_running_jobs_by_type={kind: snapshot.running_by_type.get(kind, 0) for kind in JobType},
        concurrency_caps={
            "maxBacktestsRunning": caps.running.max_backtests_running,
            "maxImproveRunning": caps.running.max_improve_running,
            "maxTotalJobs": caps.running.max_total_jobs,
            "perBot": 1,
            "perSymbol": caps.running.per_symbol,
        },
        not_enqueued_reasons=_counted(NotEnqueued, not_enqueued.values()),
        not_started_reasons=_counted(NotStarted, not_started.values()),
    )


def _counted(codes: type[Code], found: Iterable[Code]) -> dict[Code, int]:
    counts = dict.fromkeys(codes, 0)
    for code in found:
        counts[code] += 1
    return counts


def _texts(counts: Mapping[Code, int]) -> dict[str, int]:
    return {code.value: count for code, count in counts.items()}
