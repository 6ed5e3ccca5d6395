"""Jobs as the services queue and claim them, each step in a transaction of its own."""

from uuid import UUID

from sqlalchemy import select, text

from core.errors import ErrorCode, GantryError
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from services.jobs.read import get_job
from sql.engine import Transactions
from sql.tables.jobs import BotJob

OPEN = Caps(100, 100, 100)


def enqueue(
    tx: Transactions, bot_id: UUID, *, kind: BacktestKind = BacktestKind.BASELINE, max_attempts: int = 3
) -> UUID:
    """Queue a backtest of a bot."""
    with tx() as session:
        return enqueue_job(session, bot_id, kind=kind, actor="test", max_attempts=max_attempts)


def queue(tx: Transactions, *bot_ids: UUID) -> list[UUID]:
    """Queue a BASELINE of each bot, one transaction each: a job's age is its transaction's."""
    return [enqueue(tx, bot_id) for bot_id in bot_ids]


def claim(
    tx: Transactions, most: int = 100, *, caps: Caps = OPEN, symbol: str | None = None, run_id: str | None = None
) -> tuple[Claim, ...]:
    """Claim what is due."""
    with tx() as session:
        return claim_chunk(session, caps=caps, most=most, terms=LeaseTerms(), run_id=run_id, symbol=symbol)


def claim_one(tx: Transactions, job_id: UUID, terms: LeaseTerms | None = None) -> Claim:
    """Claim that job, whenever it is due."""
    with tx() as session:
        bot_ids = [get_job(session, job_id).bot_id]
        session.execute(text("UPDATE bot_jobs SET not_before = NULL WHERE id = :id"), {"id": job_id})
        (held,) = claim_chunk(
            session, caps=Caps(), most=1, terms=terms or LeaseTerms(), run_id="run-1", bot_ids=bot_ids
        )
    return held


def expire(tx: Transactions, job_id: UUID) -> None:
    """Let a job's lease be over."""
    with tx() as session:
        session.execute(
            text("UPDATE bot_jobs SET lease_expires_at = clock_timestamp() - interval '1 s' WHERE id = :id"),
            {"id": job_id},
        )


def attempts(tx: Transactions) -> list[tuple[int, str]]:
    """Attempt and status of every job, in the order of attempts."""
    with tx() as session:
        rows = session.execute(select(BotJob.attempt, BotJob.status).order_by(BotJob.attempt))
        return [(attempt, status) for attempt, status in rows]


def lost() -> GantryError:
    """What a run that broke ends with; it is tried again."""
    return GantryError(ErrorCode.RUN_FAILED, "gone", fix="none")
