"""The planner's ticks, its decisions and the loops."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from fleet.closed_sets import JobType, Stage, TickCause
from fleet.loops import LoopState
from services.planner.status import NO_BREAKERS, NO_TICK, SchedulerStatus
from services.planner.ticks import TickProof
from shapes.base import Instant, Model


class TypeCount(Model):
    """Jobs by type."""

    BACKTEST: int
    IMPROVE: int
    EVOLVE: int


class CapsBody(Model):
    """How many jobs may run at once; perSymbol is null where there is no such cap."""

    max_backtests_running: int = Field(alias="maxBacktestsRunning")
    max_improve_running: int = Field(alias="maxImproveRunning")
    max_total_jobs: int = Field(alias="maxTotalJobs")
    per_bot: int = Field(alias="perBot")
    per_symbol: int | None = Field(alias="perSymbol")


class SummaryBody(Model):
    """A tick's counts; every type and every code is present, at 0 where there was none."""

    bots_evaluated: int
    eligible_candidates_count: int = Field(description="Bots that were due for a job.")
    jobs_enqueued: int
    jobs_enqueued_by_type: TypeCount
    currently_running_jobs_by_type: TypeCount
    concurrency_caps: CapsBody
    not_enqueued_reasons: dict[str, int] = Field(description="Bots that got no job, by why.")
    not_started_reasons: dict[str, int] = Field(description="Due jobs that can't start at present, by why.")


class TickBody(Model):
    """One look of the planner at the fleet."""

    id: UUID
    started_at: Instant
    finished_at: Instant
    trace_id: str
    cause: TickCause
    summary: SummaryBody


class DecisionBody(Model):
    """What a tick decided of a bot; noted when it is something else than before."""

    id: UUID
    bot_id: UUID
    bot_name: str
    symbol: str
    stage: Stage
    enqueued: bool
    reason_code: str = Field(description="Why a job was planned, or why none was.")
    not_started: str | None = Field(description="Why the job it has can't start.")
    job_id: UUID | None
    job_type: JobType | None
    planner_run_id: UUID = Field(description="The tick; ticks are deleted after a week.")
    created_at: Instant

    @classmethod
    def of(cls, row: Any) -> Self:
        """Show one decision."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class LoopBody(Model):
    """A loop. health: OK, FAILING (its last round raised), STOPPED (no round for too long) or NEVER."""

    loop: str
    every_seconds: float
    health: LoopState
    last_tick_at: Instant | None
    age_seconds: float | None
    took_seconds: float | None
    message: str | None
    error: str | None


class DaemonBody(Model):
    """Dagster's daemon, judged by the loops it drives; `reason` says why there is no heartbeat."""

    last_heartbeat_at: Instant | None
    healthy: bool
    reason: str | None


class PlannerBody(Model):
    """The planner's last tick, whatever made it look; null with a reason before the first."""

    last_run_id: UUID | None
    last_run_at: Instant | None
    cause: TickCause | None
    bots_evaluated: int | None
    jobs_enqueued: int | None
    reason: str | None

    @classmethod
    def of(cls, run: TickProof | None) -> Self:
        """Show a tick's head."""
        if run is None:
            return cls.model_validate(dict.fromkeys(cls.model_fields) | {"reason": NO_TICK})
        return cls.model_validate(
            {
                "last_run_id": run.id,
                "last_run_at": run.finished_at,
                "cause": run.cause,
                "bots_evaluated": run.summary["bots_evaluated"],
                "jobs_enqueued": run.jobs_enqueued,
                "reason": None,
            }
        )


class SchedulerBody(Model):
    """Whether the fleet is looked after. active: the planner's loop is OK; loop_health: the worst of all loops'."""

    active: bool
    last_tick_at: Instant | None
    loop_health: LoopState
    daemon: DaemonBody
    loops: list[LoopBody]
    planner: PlannerBody
    circuit_breakers: list[dict[str, Any]]
    circuit_breakers_reason: str | None

    @classmethod
    def of(cls, status: SchedulerStatus) -> Self:
        """Show the status."""
        plain = {name: getattr(status, name) for name in ("active", "last_tick_at", "loop_health", "daemon")}
        loops = [
            LoopBody(
                loop=loop.loop,
                every_seconds=loop.every_s,
                health=loop.health,
                last_tick_at=loop.last_tick_at,
                age_seconds=loop.age_s,
                took_seconds=loop.took_s,
                message=loop.message,
                error=loop.error,
            )
            for loop in status.loops
        ]
        rest = {"planner": PlannerBody.of(status.last_run), "circuit_breakers": []}
        return cls.model_validate({**plain, "loops": loops, **rest, "circuit_breakers_reason": NO_BREAKERS})


class AutonomyBody(SchedulerBody):
    """Whether the fleet is looked after, and the planner's last tick with its counts; null before the first."""

    latest_run: TickBody | None = Field(alias="latestRun")

    @classmethod
    def of(cls, status: SchedulerStatus) -> Self:
        """Show both."""
        return cls.model_validate({**dict(SchedulerBody.of(status)), "latest_run": status.last_run})
