"""Grading: claim a bot's job, backtest it, and write everything it led to in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import ErrorCode
from fleet.closed_sets import JobStatus
from integrations.store import BarsStore
from sql.engine import Transactions
from trading.metrics import Metrics


@dataclass(frozen=True, slots=True)
class GradeFailure:
    """Why a bot could not be graded."""

    code: ErrorCode
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class GradedBot:
    """How one bot's job ended: COMPLETED with session and metrics, or FAILED, TIMEOUT, CANCELED with an error."""

    bot_id: UUID
    job_id: UUID | None
    status: JobStatus
    session_id: UUID | None
    metrics: Metrics | None
    error: GradeFailure | None


@dataclass(frozen=True, slots=True)
class GradeReport:
    """One entry a bot, in the order asked for."""

    bots: tuple[GradedBot, ...]

    @property
    def failed(self) -> tuple[GradedBot, ...]:
        """Those that didn't complete."""
        return tuple(bot for bot in self.bots if bot.status is not JobStatus.COMPLETED)


def grade(
    tx: Transactions,
    store: BarsStore,
    bot_ids: Sequence[UUID],
    *,
    run_id: str | None,
    actor: str,
    now: datetime,
    on_progress: Callable[[GradedBot], None] | None = None,
) -> GradeReport:
    """Backtest these bots, each through a job: the one that is queued, else a new one.

    Bars are read once per symbol and window. Nothing is open while computing. One bot failing fails that bot alone;
    a bot whose job runs elsewhere is waited for. on_progress is called as each bot ends. run_id: Dagster's run.

    Raises:
        GantryError: NOT_FOUND for an id without a bot, before anything is done.

    """
    raise NotImplementedError
