"""Grading of the bots that someone asks for: ensure a job of each, claim them, wait for those that run elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import GantryError
from core.log import get_logger
from fleet.caps import BACKTESTS
from fleet.closed_sets import BacktestKind, JobStatus, JobType
from integrations.store import BarsStore
from services.backtests.chunk import ChunkGrader, GradedBot, not_graded
from services.backtests.rollups import current_session, from_raw_rows
from services.jobs.enqueue import enqueue_job
from services.jobs.failure import failure_of_job
from services.jobs.terms import GradeTerms
from services.jobs.wait import Waiter
from sql.engine import Transactions
from sql.queries.jobs import read as job_queries
from sql.tables.jobs import BotJob

ASK_AGAIN: Final = "Request a backtest again."


@dataclass(frozen=True, slots=True)
class GradeReport:
    """One entry a bot, in the order requested."""

    bots: tuple[GradedBot, ...]

    @property
    def failed(self) -> tuple[GradedBot, ...]:
        """Those that didn't complete."""
        return tuple(bot for bot in self.bots if bot.status is not JobStatus.COMPLETED)


def grade_bots(
    tx: Transactions,
    store: BarsStore,
    bot_ids: Sequence[UUID],
    *,
    run_id: str | None,
    actor: str,
    now: datetime,
    on_progress: Callable[[GradedBot], None] | None = None,
    terms: GradeTerms | None = None,
) -> GradeReport:
    """Backtest these bots, each through a job: the one that is queued, else a new one, within the caps.

    Bars are read once per symbol and window. Nothing is open while computing. One bot failing fails that bot alone;
    a bot whose job runs elsewhere is waited for. on_progress is called as each bot ends. run_id: Dagster's run.
    now: stamps what is derived (rollup, score); jobs and leases go by the database's clock.

    Raises:
        GantryError: NOT_FOUND for an id without a bot, CONFLICT for an archived one, before anything is done.

    """

    def note(bot: GradedBot) -> None:
        get_logger("grading").info("bot_ended", bot_id=str(bot.bot_id), status=bot.status)
        if on_progress is not None:
            on_progress(bot)

    terms = terms or GradeTerms()
    grader = ChunkGrader(tx, store, run_id, terms.lease, suppliers=terms.suppliers, min_sessions=terms.min_sessions)
    waiter = Waiter(tx, _Backtests(actor, terms), terms, run_id=run_id, actor=actor, on_ended=note)
    return GradeReport(waiter.run(bot_ids, lambda claims: grader.grade(claims, now)))


@dataclass(frozen=True, slots=True)
class _Backtests:
    """Backtests as they are waited for."""

    actor: str
    terms: GradeTerms
    job_types: frozenset[JobType] = BACKTESTS
    verb: str = "grade"

    @property
    def at_once(self) -> int:
        return self.terms.chunk

    def ended_before(self, session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BotJob]:
        return job_queries.ended_now(session, bot_ids) if self.terms.only_missing else {}

    def enqueue(self, session: Session, bot_id: UUID) -> UUID:
        kind = BacktestKind.MANUAL if current_session(session, bot_id) else BacktestKind.BASELINE
        return enqueue_job(session, bot_id, kind=kind, actor=self.actor, max_attempts=self.terms.max_attempts)

    def outcome(self, session: Session, job: BotJob) -> GradedBot:
        status, completed = JobStatus(job.status), job.status == JobStatus.COMPLETED
        figures = from_raw_rows(session, job.session_id) if completed and job.session_id else None
        error = None if completed else failure_of_job(job, fix=ASK_AGAIN)
        return GradedBot(job.bot_id, job.id, status, job.session_id, figures, error)

    def refused(self, session: Session, job: BotJob, error: GantryError) -> GradedBot:  # noqa: ARG002 - the port's
        return self.outcome(session, job)

    def late(self, bot_id: UUID, job_id: UUID, error: GantryError) -> GradedBot:
        return not_graded(bot_id, job_id, JobStatus.RUNNING, error)
