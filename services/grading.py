"""Grading: claim a bot's job, backtest it, and write everything it led to in one transaction."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Engine

from core.errors import ErrorCode, GantryError, Kind
from core.log import get_logger
from core.trace import tracing
from fleet.closed_sets import BacktestKind, JobStatus
from fleet.jobs import TERMINAL
from integrations.store import BarsStore
from services import backtests, grade_writes, jobs, rollups
from services.backtests import BarsKey, Material, Plan
from services.heartbeat import LeaseKeeper, LeaseTerms
from services.jobs import Claim
from sql.engine import Transactions
from sql.queries import leases
from sql.tables.bots import BotVersion
from trading.metrics import Metrics

POLL_S: Final = 0.5
WAIT_ELSEWHERE_S: Final = 1_800.0
MAX_MESSAGE: Final = 1_000  # characters of a failure's message that are stored


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


@dataclass(frozen=True, slots=True)
class GradeTerms:
    """How jobs made here are held: leases, attempts, and how long a job that runs elsewhere is waited for."""

    lease: LeaseTerms = LeaseTerms()  # noqa: RUF009 - frozen
    max_attempts: int = 3
    wait_elsewhere_s: float = WAIT_ELSEWHERE_S


@dataclass(frozen=True, slots=True)
class _Held:
    """A claimed job and what it is to run."""

    claim: Claim
    plan: Plan


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A job that another worker holds."""

    job_id: UUID


def grade(
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
    """Backtest these bots, each through a job: the one that is queued, else a new one.

    Bars are read once per symbol and window. Nothing is open while computing. One bot failing fails that bot alone;
    a bot whose job runs elsewhere is waited for. on_progress is called as each bot ends. run_id: Dagster's run.
    now: stamps what is derived (rollup, score); jobs and leases go by the database's clock.

    Raises:
        GantryError: NOT_FOUND for an id without a bot, CONFLICT for an archived one, before anything is done.

    """
    grader = _Grader(tx, store, run_id, actor, now, terms or GradeTerms())
    plans = grader.plans(bot_ids)
    ended: dict[UUID, GradedBot] = {}
    for bot_id in sorted(plans, key=lambda bot_id: (str(plans[bot_id].bars), bot_id)):
        ended[bot_id] = grader.grade_one(bot_id)
        if on_progress is not None:
            on_progress(ended[bot_id])
    return GradeReport(tuple(ended[bot_id] for bot_id in dict.fromkeys(bot_ids)))


class _Grader:
    """One call of `grade`: its arguments, and the bars read last."""

    def __init__(
        self, tx: Transactions, store: BarsStore, run_id: str | None, actor: str, now: datetime, terms: GradeTerms
    ) -> None:
        self._tx = tx
        self._store = store
        self._run_id = run_id
        self._actor = actor
        self._now = now
        self._terms = terms
        self._loaded: tuple[BarsKey, Material] | None = None

    def plans(self, bot_ids: Sequence[UUID]) -> dict[UUID, Plan]:
        """Read what every bot is to run; bots are locked, in order of id, only to see that they may be graded."""
        with self._tx() as session:
            found = {}
            for bot_id in sorted(set(bot_ids)):
                bot = jobs.lock_bot(session, bot_id)
                found[bot_id] = backtests.plan_of(bot, session.get_one(BotVersion, bot.current_version_id))
            return found

    def grade_one(self, bot_id: UUID) -> GradedBot:
        """Grade one bot; wait where its job runs elsewhere, and take over the retry should that worker be lost."""
        give_up_at = time.monotonic() + self._terms.wait_elsewhere_s
        while True:
            taken = self._take(bot_id)
            if isinstance(taken, _Held):
                with tracing(taken.claim.trace_id):
                    return self._run(taken)
            ended = self._wait(bot_id, taken.job_id, give_up_at)
            if ended is not None:
                return ended

    def _take(self, bot_id: UUID) -> _Held | _Elsewhere:
        """Ensure a job and claim it; or say which one runs elsewhere."""
        with self._tx() as session:
            bot = jobs.lock_bot(session, bot_id)
            job = leases.active_job(session, bot_id)
            if job is None:
                first = rollups.current_session(session, bot_id) is None
                kind = BacktestKind.BASELINE if first else BacktestKind.MANUAL
                job_id = jobs.enqueue(
                    session, bot_id, kind=kind, actor=self._actor, max_attempts=self._terms.max_attempts
                )
                job = jobs.get(session, job_id)
            version = session.get_one(BotVersion, bot.current_version_id)
            with tracing(job.trace_id):
                claim = jobs.claim(session, job, version_id=version.id, run_id=self._run_id, terms=self._terms.lease)
            return _Held(claim, backtests.plan_of(bot, version)) if claim else _Elsewhere(job.id)

    def _run(self, held: _Held) -> GradedBot:
        """Grade under a lease: the results in one transaction, or else the failure in another."""
        claim = held.claim
        with LeaseKeeper(self._engine(), claim.job_id, claim.token, self._terms.lease) as keeper:
            try:
                return self._completed(held, keeper)
            except GantryError as error:
                problem = _storable(error)
            except Exception as defect:  # noqa: BLE001 - one bot's edge: the next bot must still be graded
                get_logger("grading").exception("grading_failed", bot_id=str(claim.bot_id))
                problem = _defect(defect)
            try:
                keeper.check()
                return self._failed(held, problem)
            except GantryError as error:
                if error.code is not ErrorCode.HEARTBEAT_TIMEOUT:
                    raise
                return _not_graded(claim.bot_id, claim.job_id, JobStatus.TIMEOUT, error)

    def _completed(self, held: _Held, keeper: LeaseKeeper) -> GradedBot:
        material = self._material(held.plan.bars)
        computed = backtests.compute(held.plan, material)
        keeper.check()
        with self._tx() as session:
            session_id = grade_writes.write_completed(
                session, held.claim, held.plan, material, computed, run_id=self._run_id, now=self._now
            )
        claim = held.claim
        return GradedBot(claim.bot_id, claim.job_id, JobStatus.COMPLETED, session_id, computed.metrics, None)

    def _failed(self, held: _Held, error: GantryError) -> GradedBot:
        material = self._loaded[1] if self._loaded and self._loaded[0] == held.plan.bars else None
        with self._tx() as session:
            session_id = grade_writes.write_failed(
                session, held.claim, held.plan, material, error, run_id=self._run_id, now=self._now
            )
        return GradedBot(held.claim.bot_id, held.claim.job_id, JobStatus.FAILED, session_id, None, _failure(error))

    def _material(self, key: BarsKey) -> Material:
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None  # let the last symbol's bars go before the next one's come
            self._loaded = (key, backtests.load(self._tx, self._store, key))
        return self._loaded[1]

    def _engine(self) -> Engine:
        with self._tx() as session:
            return session.get_bind().engine

    def _wait(self, bot_id: UUID, job_id: UUID, give_up_at: float) -> GradedBot | None:
        """Wait for another worker's job; None when it was lost and there is a retry to take."""
        while time.monotonic() < give_up_at:
            with self._tx() as session:
                job = jobs.get(session, job_id)
                status = JobStatus(job.status)
                if status is JobStatus.QUEUED or (status is JobStatus.TIMEOUT and job.attempt < job.max_attempts):
                    return None
                if status in TERMINAL:
                    figures = rollups.from_raw_rows(session, job.session_id) if job.session_id else None
                    completed = status is JobStatus.COMPLETED
                    return GradedBot(
                        bot_id,
                        job_id,
                        status,
                        job.session_id,
                        figures if completed else None,
                        None if completed else _stored_failure(job.error_code, job.error_message, job.suggested_fix),
                    )
            jobs.reap_lost_leases(self._tx, actor=self._actor)
            time.sleep(POLL_S)
        late = GantryError(
            ErrorCode.CONFLICT,
            f"Another worker has held job {job_id} for {self._terms.wait_elsewhere_s:.0f} s.",
            fix="Look at that job's run; grade the bot again when it has ended.",
            kind=Kind.CONFLICT,
        )
        return _not_graded(bot_id, job_id, JobStatus.RUNNING, late)


def _defect(defect: Exception) -> GantryError:
    return GantryError(
        ErrorCode.INTERNAL,
        f"Grading stopped on a defect: {type(defect).__name__}.",
        fix="The log has the traceback under this job's trace id; report it.",
        kind=Kind.INTERNAL,
    )


def _storable(error: GantryError) -> GantryError:
    """A strategy may say anything as it fails: what Postgres can't hold is replaced, and the rest kept short."""

    def kept(text: str) -> str:
        cleaned = text[:MAX_MESSAGE].replace("\0", "?").encode("utf-8", "replace").decode()
        return cleaned if len(text) <= MAX_MESSAGE else f"{cleaned} ..."

    return GantryError(error.code, kept(error.message), fix=kept(error.fix), kind=error.kind, facts=error.facts)


def _failure(error: GantryError) -> GradeFailure:
    return GradeFailure(error.code, error.message, error.fix)


def _not_graded(bot_id: UUID, job_id: UUID, status: JobStatus, error: GantryError) -> GradedBot:
    return GradedBot(bot_id, job_id, status, None, None, _failure(error))


def _stored_failure(code: str | None, message: str | None, fix: str | None) -> GradeFailure:
    return GradeFailure(ErrorCode(code or ErrorCode.RUN_FAILED), message or "The job didn't complete.", fix or "")
