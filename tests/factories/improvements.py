"""Bots that can be improved: jobs of a known seed, claims of them, and what happens between two steps."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from fleet.caps import IMPROVING, Caps
from fleet.closed_sets import JobStatus, JobType
from fleet.jobs import JobReason
from integrations.store import BarsStore
from services.improve.run import ImprovedBot, Improver
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_jobs
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from services.jobs.terms import GradeTerms
from services.proof.invariants import check_invariants
from sql.engine import Transactions
from sql.queries.jobs.enqueue import NewJob
from sql.tables.bots import Bot, BotVersion
from sql.tables.events import Activity
from sql.tables.improvements import BotImprovement, ImprovementProgress
from sql.tables.jobs import BotJob
from trading.improve.limits import Budget

OPEN = Caps(100, 100, 100)
TERMS = replace(GradeTerms(), caps=OPEN, improve=Budget(sets=16, folds=3))
FAR_OFF: Mapping[str, object] = {"period": 600}  # of bollinger_reversion on swinging bars: a better one is found
STEPS = 4


def queue_improvement(
    tx: Transactions, bot_id: UUID, job_type: JobType = JobType.IMPROVE, *, seed: int = 1, place: int = 1
) -> UUID:
    """Queue a job whose search has that seed; place keeps ids apart. CONFLICT for a bot that has one."""
    job_id = UUID(int=(place << 96) + seed)
    with tx() as session:
        new = NewJob(job_id, bot_id, job_type, None)
        if not enqueue_jobs(session, [new], reason=JobReason.PLANNED, actor="test", max_attempts=3):
            raise GantryError(ErrorCode.CONFLICT, "The bot already has a job.", fix="Wait for it to end.")
    return job_id


def take(tx: Transactions, most: int = 1, *, caps: Caps = OPEN, run_id: str = "run") -> tuple[Claim, ...]:
    """Claim improvements, whenever their retries are due."""
    with tx() as session:
        session.execute(update(BotJob).where(BotJob.status == JobStatus.QUEUED).values(not_before=None))
        return claim_chunk(session, caps=caps, most=most, terms=LeaseTerms(), run_id=run_id, job_types=IMPROVING)


def outcomes(tx: Transactions) -> list[BotImprovement]:
    """Return the improvements there are, oldest first."""
    with tx() as session:
        rows = session.scalars(select(BotImprovement).order_by(BotImprovement.created_at)).all()
        session.expunge_all()
        return list(rows)


def saved(tx: Transactions) -> list[tuple[UUID, int, dict[str, Any]]]:
    """Return the states there are: root, steps done, state."""
    with tx() as session:
        rows = session.execute(
            select(ImprovementProgress.root_job_id, ImprovementProgress.steps_done, ImprovementProgress.state)
        )
        return [(root, done, state) for root, done, state in rows]


def interrupted(tx: Transactions, after_steps: int, happens: Callable[[], None]) -> Transactions:
    """Return transactions after which, once so many steps are kept, something happens; once."""
    happened: list[bool] = []

    @contextmanager
    def watched() -> Iterator[Session]:
        with tx() as session:
            yield session
            session.flush()
            done = session.scalar(select(ImprovementProgress.steps_done)) or 0
        if done == after_steps and not happened:
            happened.append(True)
            happens()

    return watched


def improve(tx: Transactions, store: BarsStore, **more: Any) -> ImprovedBot:
    """Claim the oldest improvement and run it."""
    (claim,) = take(tx)
    return Improver(tx, store, replace(TERMS, **more)).improve(claim)


def version_of(tx: Transactions, bot_id: UUID) -> tuple[Bot, BotVersion]:
    """Return a bot and its current version."""
    with tx() as session:
        bot = session.get_one(Bot, bot_id)
        version = session.get_one(BotVersion, bot.current_version_id)
        session.expunge_all()
        return bot, version


def reported(tx: Transactions) -> list[str]:
    """Return what the feed tells of jobs, oldest first."""
    with tx() as session:
        wanted = select(Activity.event_type).where(Activity.job_id.is_not(None))
        return list(session.scalars(wanted.order_by(Activity.created_at, Activity.id)))


def assert_sound(tx: Transactions) -> None:
    """Check that no invariant is violated."""
    with tx() as session:
        assert check_invariants(session) == ()


class Killed(BaseException):
    """The process is gone."""


def die() -> None:
    """End the process, as far as it can tell."""
    raise Killed
