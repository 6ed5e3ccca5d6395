"""Grading of the bots that someone asks for: ensure a job of each, claim them, wait for those that run elsewhere."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.log import get_logger
from fleet.closed_sets import BacktestKind, JobStatus, JobType
from fleet.jobs import TERMINAL
from integrations.store import BarsStore
from services.backtests.chunk import ChunkGrader, GradedBot, not_graded
from services.backtests.rollups import current_session, from_raw_rows
from services.finding import lock_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.failure import GradeFailure
from services.jobs.plan import Claim
from services.jobs.reaper import Reaper
from services.jobs.terms import GradeTerms
from sql.engine import Transactions
from sql.queries.jobs import read as job_queries
from sql.tables.jobs import BotJob

POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class GradeReport:
    """One entry a bot, in the order asked for."""

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
    asked = _Asked(tx, actor, terms or GradeTerms(), on_progress)
    grader = ChunkGrader(tx, store, run_id, asked.terms.lease, suppliers=asked.terms.suppliers)
    asked.ensure(bot_ids)
    give_up_at = time.monotonic() + asked.terms.wait_elsewhere_s
    while asked.waiting and time.monotonic() < give_up_at:
        chunk = asked.claim(run_id)
        if chunk:
            asked.end(grader.grade(chunk, now))
            give_up_at = time.monotonic() + asked.terms.wait_elsewhere_s
        elif not asked.look():
            time.sleep(POLL_S)
    asked.give_up()
    return GradeReport(tuple(asked.ended[bot_id] for bot_id in dict.fromkeys(bot_ids)))


class _Asked:
    """The bots of one call: whose job is waited for, and how the others' ended."""

    def __init__(
        self, tx: Transactions, actor: str, terms: GradeTerms, on_progress: Callable[[GradedBot], None] | None
    ) -> None:
        self._tx = tx
        self._actor = actor
        self.terms = terms
        self._on_progress = on_progress
        self._reaper = Reaper(terms.lease.lease_s)
        self.waiting: dict[UUID, UUID] = {}  # job by bot
        self.ended: dict[UUID, GradedBot] = {}

    def ensure(self, bot_ids: Sequence[UUID]) -> None:
        """See that each bot has an active job, or had one; all of them, or an error and nothing."""
        with self._tx() as session:
            done = job_queries.ended_now(session, bot_ids) if self.terms.only_missing else {}
            for bot_id in sorted(set(bot_ids)):
                lock_bot(session, bot_id)
                job = done.get(bot_id) or job_queries.active_job(session, bot_id)
                self.waiting[bot_id] = job.id if job else self._enqueue(session, bot_id)

    def claim(self, run_id: str | None) -> tuple[Claim, ...]:
        """Take as many of them as the caps leave room for."""
        with self._tx() as session:
            return claim_chunk(
                session,
                caps=self.terms.caps,
                most=self.terms.chunk,
                terms=self.terms.lease,
                run_id=run_id,
                bot_ids=list(self.waiting),
            )

    def look(self) -> bool:
        """Note what ended elsewhere, or follow a lost job to its retry; return whether anything did."""
        self._reaper.tick(self._tx, actor=self._actor, max_job_minutes=self.terms.max_job_minutes)
        with self._tx() as session:
            over = [job for job in job_queries.jobs_of(session, list(self.waiting.values())) if job.status in TERMINAL]
            for job in over:
                self._elsewhere(session, job)
        return bool(over)

    def end(self, bots: Sequence[GradedBot]) -> None:
        """Note how bots ended. One whose lease was lost is followed to its retry, should there be one."""
        for bot in bots:
            if bot.status is JobStatus.TIMEOUT:
                continue  # what became of the job is in the database: `look` finds it there
            self.waiting.pop(bot.bot_id, None)
            self._note(bot)

    def give_up(self) -> None:
        """Say of those still waiting that they were waited for in vain."""
        for bot_id, job_id in self.waiting.items():
            late = GantryError(
                ErrorCode.CONFLICT,
                f"Job {job_id} did not end within {self.terms.wait_elsewhere_s:.0f} s of waiting.",
                fix="Look at that job's run and at the caps; grade the bot again when it has ended.",
                kind=Kind.CONFLICT,
            )
            self._note(not_graded(bot_id, job_id, JobStatus.RUNNING, late))

    def _elsewhere(self, session: Session, job: BotJob) -> None:
        retry = job_queries.active_job(session, job.bot_id)
        if retry is not None and retry.root_job_id == job.root_job_id:
            self.waiting[job.bot_id] = retry.id
            return
        if job.job_type != JobType.BACKTEST and self._backtest_after(session, job):
            return
        self.waiting.pop(job.bot_id, None)
        status, completed = JobStatus(job.status), job.status == JobStatus.COMPLETED
        figures = from_raw_rows(session, job.session_id) if completed and job.session_id else None
        error = None if completed else _stored_failure(job)
        self._note(GradedBot(job.bot_id, job.id, status, job.session_id, figures, error))

    def _backtest_after(self, session: Session, job: BotJob) -> bool:
        """Ask for a backtest behind an improvement that was in its way; False when its bot was archived."""
        try:
            lock_bot(session, job.bot_id)
        except GantryError:
            return False
        active = job_queries.active_job(session, job.bot_id)
        self.waiting[job.bot_id] = active.id if active else self._enqueue(session, job.bot_id)
        return True

    def _note(self, bot: GradedBot) -> None:
        self.ended[bot.bot_id] = bot
        get_logger("grading").info("bot_ended", bot_id=str(bot.bot_id), status=bot.status)
        if self._on_progress is not None:
            self._on_progress(bot)

    def _enqueue(self, session: Session, bot_id: UUID) -> UUID:
        kind = BacktestKind.MANUAL if current_session(session, bot_id) else BacktestKind.BASELINE
        return enqueue_job(session, bot_id, kind=kind, actor=self._actor, max_attempts=self.terms.max_attempts)


def _stored_failure(job: BotJob) -> GradeFailure:
    return GradeFailure(
        ErrorCode(job.error_code or ErrorCode.RUN_FAILED),
        job.error_message or f"The job ended {job.status}.",
        job.suggested_fix or "Ask for a backtest again.",
    )
