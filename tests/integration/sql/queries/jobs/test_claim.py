"""Of several workers one gets a job, under the epoch it has at that moment."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import GantryError
from core.ids import new_id
from sql.engine import Transactions
from sql.queries.jobs import claim as claim_queries
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob
from tests.factories.databases import OwnerSql
from tests.factories.jobs import new_job


def take_job(tx: Transactions, job_id: UUID) -> bool:
    with tx() as session:
        job = session.get_one(BotJob, job_id)
        version_id = session.get_one(Bot, job.bot_id).current_version_id
        assert version_id is not None
        taken = [claim_queries.Taken(job_id, new_id(), 0, version_id)]
        return bool(claim_queries.take(session, taken, lease_s=30, run_id=None, worker_id=None))


def test_of_eight_claimers_one_wins(tx: Transactions, owner_sql: OwnerSql) -> None:
    job = new_job(tx)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _n: take_job(tx, job.id), range(8)))
    assert sorted(won) == [False] * 7 + [True]
    assert owner_sql("SELECT status, started_at IS NOT NULL FROM bot_jobs") == [("RUNNING", True)]


def epochs(session: Session, bot_id: UUID) -> list[int]:
    return [row[2] for row in claim_queries.lock_bots(session, [bot_id])]


def test_a_reset_waits_for_the_claims_that_copied_the_epoch(tx: Transactions) -> None:
    job = new_job(tx)

    def reset() -> None:
        with tx() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            session.execute(text("UPDATE bot_boundaries SET epoch = epoch + 1 WHERE source = 'BACKTEST'"))

    with tx() as session:
        assert epochs(session, job.bot_id) == [0]
        with tx() as another:
            assert epochs(another, job.bot_id) == [0], "claims don't wait for each other"
        with pytest.raises(GantryError, match="too busy"):
            reset()
    reset()
    with tx() as session:
        assert epochs(session, job.bot_id) == [1]
