"""Improvements that someone asks for: ensure a job of each bot, claim them, wait for those that run elsewhere."""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from fleet.caps import IMPROVING
from fleet.closed_sets import ImprovementVerdict, JobStatus, JobType
from fleet.jobs import TERMINAL
from integrations.store import BarsStore
from services.backtests.grade import POLL_S
from services.finding import lock_bot
from services.improve.run import ImprovedBot, Improver
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.failure import GradeFailure, failure_of
from services.jobs.plan import Claim
from services.jobs.reaper import Reaper
from services.jobs.terms import GradeTerms
from sql.engine import Transactions
from sql.queries.improve import improvements as queries
from sql.queries.jobs import read as job_queries
from sql.tables.jobs import BotJob


def improve_bots(
    tx: Transactions,
    store: BarsStore,
    bot_ids: Sequence[UUID],
    *,
    run_id: str | None,
    actor: str,
    terms: GradeTerms,
    on_progress: Callable[[ImprovedBot], None],
) -> tuple[ImprovedBot, ...]:
    """Improve these bots, each through a job: the one that is active, else a new IMPROVE, within the caps.

    A bot that is being backtested is improved after that. One bot failing fails that bot alone; a bot whose job runs
    elsewhere is waited for. on_progress is called as each bot ends. One entry a bot, in the order asked for.

    Raises:
        GantryError: NOT_FOUND for an id without a bot, CONFLICT for an archived one, before anything is done.

    """
    asked = _Asked(tx, actor, terms, on_progress)
    improver = Improver(tx, store, terms)
    asked.ensure(sorted(set(bot_ids)))
    give_up_at = time.monotonic() + terms.wait_elsewhere_s
    while asked.waiting and time.monotonic() < give_up_at:
        taken = asked.claim(run_id)
        for claim in taken:
            asked.end(improver.improve(claim))
        if taken or asked.look():
            give_up_at = time.monotonic() + terms.wait_elsewhere_s
        else:
            time.sleep(POLL_S)
    asked.give_up()
    return tuple(asked.ended[bot_id] for bot_id in dict.fromkeys(bot_ids))


class _Asked:
    """The bots of one call: whose job is waited for, and how the others' ended."""

    def __init__(
        self, tx: Transactions, actor: str, terms: GradeTerms, on_progress: Callable[[ImprovedBot], None]
    ) -> None:
        self._tx, self._actor, self._terms, self._on_progress = tx, actor, terms, on_progress
        self._reaper = Reaper(terms.lease.lease_s)
        self.waiting: dict[UUID, UUID] = {}  # job by bot
        self.ended: dict[UUID, ImprovedBot] = {}

    def ensure(self, bot_ids: Sequence[UUID]) -> None:
        """See that each bot has an active job; all of them, or an error and nothing."""
        with self._tx() as session:
            for bot_id in bot_ids:
                self.waiting[bot_id] = self._job_of(session, bot_id)

    def claim(self, run_id: str | None) -> tuple[Claim, ...]:
        """Take one of them, if the caps leave room for it."""
        with self._tx() as session:
            return claim_chunk(
                session,
                caps=self._terms.caps,
                most=1,
                terms=self._terms.lease,
                run_id=run_id,
                job_types=IMPROVING,
                bot_ids=list(self.waiting),
            )

    def look(self) -> bool:
        """Note what ended elsewhere, or follow a job to the one after it; return whether anything did."""
        self._reaper.tick(self._tx, actor=self._actor, max_job_minutes=self._terms.max_job_minutes)
        with self._tx() as session:
            over = [job for job in job_queries.jobs_of(session, list(self.waiting.values())) if job.status in TERMINAL]
            for job in over:
                self._follow(session, job)
        return bool(over)

    def end(self, bot: ImprovedBot) -> None:
        """Note how a bot ended. One whose lease was lost is followed by `look`."""
        if bot.status is not JobStatus.TIMEOUT:
            self._note(bot)

    def give_up(self) -> None:
        """Say of those still waiting that they were waited for in vain."""
        for bot_id, job_id in tuple(self.waiting.items()):
            late = GantryError(
                ErrorCode.CONFLICT,
                f"Job {job_id} did not end within {self._terms.wait_elsewhere_s:.0f} s of waiting.",
                fix="Look at that job's run and at the caps; improve the bot again when it has ended.",
                kind=Kind.CONFLICT,
            )
            self._note(ImprovedBot(bot_id, job_id, JobType.IMPROVE, JobStatus.RUNNING, None, failure_of(late)))

    def _job_of(self, session: Session, bot_id: UUID) -> UUID:
        lock_bot(session, bot_id)
        active = job_queries.active_job(session, bot_id)
        if active is not None:
            return active.id
        most = self._terms.max_attempts
        return enqueue_job(session, bot_id, kind=None, actor=self._actor, max_attempts=most, job_type=JobType.IMPROVE)

    def _follow(self, session: Session, job: BotJob) -> None:
        retry = job_queries.active_job(session, job.bot_id)
        if retry is not None and retry.root_job_id == job.root_job_id:
            self.waiting[job.bot_id] = retry.id
        elif job.job_type not in IMPROVING:
            self._improve_after(session, job)
        else:
            self._note(_ended(session, job))

    def _improve_after(self, session: Session, job: BotJob) -> None:
        """Ask for an improvement behind a backtest that was in its way, unless its bot was archived."""
        try:
            self.waiting[job.bot_id] = self._job_of(session, job.bot_id)
        except GantryError as error:
            self._note(ImprovedBot(job.bot_id, None, JobType.IMPROVE, JobStatus.CANCELED, None, failure_of(error)))

    def _note(self, bot: ImprovedBot) -> None:
        self.waiting.pop(bot.bot_id, None)
        self.ended[bot.bot_id] = bot
        self._on_progress(bot)


def _ended(session: Session, job: BotJob) -> ImprovedBot:
    status, kind = JobStatus(job.status), JobType(job.job_type)
    (row,) = queries.of_jobs(session, [job.id]) or (None,)
    if row is not None:
        return ImprovedBot(job.bot_id, job.id, kind, status, ImprovementVerdict(row.verdict), None)
    error = GradeFailure(
        ErrorCode(job.error_code or ErrorCode.RUN_FAILED),
        job.error_message or f"The job ended {job.status}.",
        job.suggested_fix or "Ask for an improvement again.",
    )
    return ImprovedBot(job.bot_id, job.id, kind, status, None, error)
