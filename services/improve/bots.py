"""Improvements that someone asks for: ensure a job of each bot, claim them, wait for those that run elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import GantryError
from fleet.caps import IMPROVING
from fleet.closed_sets import ImprovementVerdict, JobStatus, JobType
from integrations.store import BarsStore
from services.improve.run import ImprovedBot, Improver
from services.jobs.enqueue import enqueue_job
from services.jobs.failure import failure_of, failure_of_job
from services.jobs.terms import GradeTerms
from services.jobs.wait import Waiter
from sql.engine import Transactions
from sql.queries.improve import improvements as queries
from sql.tables.jobs import BotJob

ASK_AGAIN: Final = "Request an improvement again."


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
    elsewhere is waited for. on_progress is called as each bot ends. One entry a bot, in the order requested.

    Raises:
        GantryError: NOT_FOUND for an id without a bot, CONFLICT for an archived one, before anything is done.

    """
    improver = Improver(tx, store, terms)
    wanted = _Improvements(actor, terms.max_attempts)
    waiter = Waiter(tx, wanted, terms, run_id=run_id, actor=actor, on_ended=on_progress)
    return waiter.run(bot_ids, lambda claims: [improver.improve(claim) for claim in claims])


@dataclass(frozen=True, slots=True)
class _Improvements:
    """Improvements and evolutions as they are waited for: one at a time."""

    actor: str
    max_attempts: int
    job_types: frozenset[JobType] = IMPROVING
    at_once: int = 1
    verb: str = "improve"

    def ended_before(self, session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BotJob]:  # noqa: ARG002
        return {}

    def enqueue(self, session: Session, bot_id: UUID) -> UUID:
        most, kind = self.max_attempts, JobType.IMPROVE
        return enqueue_job(session, bot_id, kind=None, actor=self.actor, max_attempts=most, job_type=kind)

    def outcome(self, session: Session, job: BotJob) -> ImprovedBot:
        status, kind = JobStatus(job.status), JobType(job.job_type)
        (row,) = queries.of_jobs(session, [job.id]) or (None,)
        if row is not None:
            return ImprovedBot(job.bot_id, job.id, kind, status, ImprovementVerdict(row.verdict), None)
        return ImprovedBot(job.bot_id, job.id, kind, status, None, failure_of_job(job, fix=ASK_AGAIN))

    def refused(self, session: Session, job: BotJob, error: GantryError) -> ImprovedBot:  # noqa: ARG002 - the port's
        return ImprovedBot(job.bot_id, None, JobType.IMPROVE, JobStatus.CANCELED, None, failure_of(error))

    def late(self, bot_id: UUID, job_id: UUID, error: GantryError) -> ImprovedBot:
        return ImprovedBot(bot_id, job_id, JobType.IMPROVE, JobStatus.RUNNING, None, failure_of(error))
