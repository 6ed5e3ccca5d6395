"""Wait for the jobs of bots that someone asks for: see that each has one, work on what is claimed, watch the others."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from fleet.closed_sets import JobStatus, JobType
from fleet.jobs import TERMINAL
from services.finding import lock_bot
from services.jobs.claim import claim_chunk
from services.jobs.plan import Claim
from services.jobs.reaper import Reaper
from services.jobs.terms import GradeTerms
from sql.engine import Transactions
from sql.queries.jobs import read as job_queries
from sql.tables.jobs import BotJob

POLL_S: Final = 0.5


class Outcome(Protocol):
    """How a bot's job ended."""

    @property
    def bot_id(self) -> UUID: ...  # noqa: D102
    @property
    def status(self) -> JobStatus: ...  # noqa: D102


Ended = TypeVar("Ended", bound=Outcome)
Ended_co = TypeVar("Ended_co", bound=Outcome, covariant=True)


class Wanted(Protocol[Ended_co]):
    """Which jobs are waited for, and what a caller gets for each one that ended."""

    @property
    def job_types(self) -> frozenset[JobType]:
        """Which they are: types of one cap."""

    @property
    def at_once(self) -> int:
        """How many of them are claimed at once."""

    @property
    def verb(self) -> str:
        """What they do with a bot: "grade"."""

    def ended_before(self, session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BotJob]:
        """Return, by bot, jobs that ended and will do: these bots get no new one."""

    def enqueue(self, session: Session, bot_id: UUID) -> UUID:
        """Queue a job for a bot that has none; return its id."""

    def outcome(self, session: Session, job: BotJob) -> Ended_co:
        """Return how a job ended that was not worked on here."""

    def refused(self, session: Session, job: BotJob, error: GantryError) -> Ended_co:
        """Return what became of a bot that got no job behind that one of another type: it was archived meanwhile."""

    def late(self, bot_id: UUID, job_id: UUID, error: GantryError) -> Ended_co:
        """Return the outcome of a job that didn't end in time."""


class Waiter(Generic[Ended]):
    """Sees the jobs of one call to their ends. One that is lost is followed to its retry.

    A bot whose active job is of another type gets one of these behind it. Jobs that run elsewhere are waited for as
    long as one of them ends, here or there, within `terms.wait_elsewhere_s`.
    """

    def __init__(
        self,
        tx: Transactions,
        wanted: Wanted[Ended],
        terms: GradeTerms,
        *,
        run_id: str | None,
        actor: str,
        on_ended: Callable[[Ended], None],
    ) -> None:
        """Prepare to wait. run_id: Dagster's run, which claims. on_ended: called as each bot ends."""
        self._tx, self._wanted, self._terms = tx, wanted, terms
        self._run_id, self._actor, self._on_ended = run_id, actor, on_ended
        self._reaper = Reaper(terms.lease.lease_s)
        self._waiting: dict[UUID, UUID] = {}  # job by bot
        self._ended: dict[UUID, Ended] = {}

    def run(self, bot_ids: Sequence[UUID], work: Callable[[Sequence[Claim]], Sequence[Ended]]) -> tuple[Ended, ...]:
        """Return how each of these bots ended, in this order (a flow). work: done on the jobs that are claimed here.

        Raises:
            GantryError: NOT_FOUND for an id without a bot, CONFLICT for an archived one, before anything is done.

        """
        self._ensure(bot_ids)
        give_up_at = time.monotonic() + self._terms.wait_elsewhere_s
        while self._waiting and time.monotonic() < give_up_at:
            claims = self._claim()
            if claims:
                self._end(work(claims))
            if claims or self._look():
                give_up_at = time.monotonic() + self._terms.wait_elsewhere_s
            else:
                time.sleep(POLL_S)
        self._give_up()
        return tuple(self._ended[bot_id] for bot_id in dict.fromkeys(bot_ids))

    def _ensure(self, bot_ids: Sequence[UUID]) -> None:
        """See that each bot has an active job, or had one that will do; all of them, or an error and nothing."""
        with self._tx() as session:
            before = self._wanted.ended_before(session, bot_ids)
            for bot_id in sorted(set(bot_ids)):
                self._waiting[bot_id] = self._job_of(session, bot_id, before.get(bot_id))

    def _job_of(self, session: Session, bot_id: UUID, ended: BotJob | None = None) -> UUID:
        lock_bot(session, bot_id)
        job = ended or job_queries.active_job(session, bot_id)
        return job.id if job else self._wanted.enqueue(session, bot_id)

    def _claim(self) -> tuple[Claim, ...]:
        """Take as many of them as are worked on at once, and as the caps leave room for."""
        with self._tx() as session:
            return claim_chunk(
                session,
                caps=self._terms.caps,
                most=self._wanted.at_once,
                terms=self._terms.lease,
                run_id=self._run_id,
                job_types=self._wanted.job_types,
                bot_ids=list(self._waiting),
            )

    def _end(self, bots: Sequence[Ended]) -> None:
        """Note how bots ended here, but for those whose lease was lost: `_look` finds what became of their jobs."""
        for bot in bots:
            if bot.status is not JobStatus.TIMEOUT:
                self._note(bot)

    def _look(self) -> bool:
        """Note what ended elsewhere, or follow a job to the one after it; return whether anything did."""
        self._reaper.tick(self._tx, actor=self._actor, max_job_minutes=self._terms.max_job_minutes)
        with self._tx() as session:
            jobs = job_queries.jobs_of(session, list(self._waiting.values()))
            over = [job for job in jobs if job.status in TERMINAL]
            for job in over:
                self._follow(session, job)
        return bool(over)

    def _follow(self, session: Session, job: BotJob) -> None:
        active = job_queries.active_job(session, job.bot_id)
        if active is not None and active.root_job_id == job.root_job_id:
            self._waiting[job.bot_id] = active.id
        elif job.job_type in self._wanted.job_types:
            self._note(self._wanted.outcome(session, job))
        else:
            try:
                self._waiting[job.bot_id] = self._job_of(session, job.bot_id)
            except GantryError as error:
                self._note(self._wanted.refused(session, job, error))

    def _give_up(self) -> None:
        """Report those still waiting as late."""
        for bot_id, job_id in tuple(self._waiting.items()):
            late = GantryError(
                ErrorCode.CONFLICT,
                f"Job {job_id} did not end within {self._terms.wait_elsewhere_s:.0f} s of waiting.",
                fix=f"Check that job's run and the caps; {self._wanted.verb} the bot again when it has ended.",
                kind=Kind.CONFLICT,
            )
            self._note(self._wanted.late(bot_id, job_id, late))

    def _note(self, bot: Ended) -> None:
        self._waiting.pop(bot.bot_id, None)
        self._ended[bot.bot_id] = bot
        self._on_ended(bot)
