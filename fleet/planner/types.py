"""What the planner reads: a snapshot of the fleet and the terms it plans on. All times are aware, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, JobStatus, JobType, PromotionMode, Stage
from fleet.jobs import JobReason
from trading.improve.limits import Budget


class BarsState(StrEnum):
    """Whether the bars that a bot's version wants are there, on their way, or not to be had from anybody."""

    AVAILABLE = "AVAILABLE"
    PENDING = "PENDING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class ActiveWork:
    """A bot's one job that is QUEUED or RUNNING. not_before: a retry waits until then."""

    job_type: JobType
    status: JobStatus
    queued_at: datetime
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndedWork:
    """The newest job of a bot that ended, of backtests or of improvements.

    version_id, epoch, bars_generation: what it was made on. kind: of a backtest. reason: None unless it was lost.
    """

    root_job_id: UUID
    job_type: JobType
    kind: BacktestKind | None
    status: JobStatus
    reason: JobReason | None
    attempt: int
    max_attempts: int
    ended_at: datetime
    version_id: UUID
    epoch: int
    bars_generation: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The newest COMPLETED session of a bot's current version in the current epoch.

    completed_at: of the newest job that led to it; a REFRESH of unchanged bars points at the session there is.
    bars_last_at: open of the last bar it read. bars_generation: what it was made on.
    """

    session_id: UUID
    completed_at: datetime
    total_trades: int
    bars_last_at: datetime
    bars_generation: str


@dataclass(frozen=True, slots=True)
class LastImprovement:
    """When a bot's last improvement ended COMPLETED, and the rounds of IMPROVE since an adoption or an EVOLVE."""

    last_completed_at: datetime
    rounds_without_adoption: int


@dataclass(frozen=True, slots=True)
class BotSnapshot:
    """One bot as it stands.

    lab_since: when it last came into LAB by creation, demotion or revert (a revert within LAB counts); a baseline
    completed before then is none. asked_at: when a baseline was last requested, the newest of lab_since, the last
    reset that covers backtests, and the present version; it decides who has waited longest, nothing else.
    version_id, epoch: the present ones, the epoch BACKTEST's. bars_last_at: open of the newest bar that the bot's
    window takes. bars_sessions: trading days of these bars. bars_generation: a text that changes whenever those bars,
    or the providers that could supply them, change; see `fleet.planner.bars_outlook`.
    stage_locked_until, promotion_mode: bind promotions; work in LAB never looks at them. promotion_due: all gates of
    the next stage are met.
    """

    id: UUID
    symbol: str
    stage: Stage
    lab_since: datetime
    asked_at: datetime
    version_id: UUID
    epoch: int
    bars: BarsState
    bars_generation: str
    bars_last_at: datetime | None = None
    bars_sessions: int = 0
    archived: bool = False
    stage_locked_until: datetime | None = None
    promotion_mode: PromotionMode = PromotionMode.MANUAL
    promotion_due: bool = False
    active: ActiveWork | None = None
    baseline: Baseline | None = None
    ended_backtest: EndedWork | None = None
    ended_improvement: EndedWork | None = None
    improvement: LastImprovement | None = None


@dataclass(frozen=True, slots=True)
class FleetSnapshot:
    """The fleet at one moment: its bots in any order, each id once, and the jobs that are RUNNING."""

    bots: tuple[BotSnapshot, ...]
    running_by_type: Mapping[JobType, int] = field(default_factory=dict)
    running_by_symbol: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannerCaps:
    """The caps on RUNNING and the terms of LAB work.

    evolve_after: rounds of IMPROVE without adoption. With no room for improvements at all none is planned: queued for
    ever it would hold back the refreshes. improve: what one improvement may spend; its folds need their sessions.
    """

    running: Caps = field(default_factory=Caps)
    baseline_max_age: timedelta = timedelta(hours=6)
    min_trades_for_improve: int = 30
    improve_cadence: timedelta = timedelta(hours=1)
    evolve_after: int = 3
    improve: Budget = Budget()  # noqa: RUF009 - frozen

    @property
    def improves(self) -> bool:
        """Whether an improvement could ever run."""
        return min(self.running.max_improve_running, self.running.max_total_jobs) > 0
