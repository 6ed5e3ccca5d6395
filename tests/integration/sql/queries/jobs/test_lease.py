"""Of several workers one gets a job, and only who holds its lease changes it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from core.errors import GantryError
from core.ids import new_id
from fleet.closed_sets import JobStatus, JobType
from sql.engine import Transactions
from sql.queries.jobs import claim as claim_queries
from sql.queries.jobs import finish as finish_queries
from sql.queries.jobs import lease as lease_queries
from sql.queries.jobs import read as job_queries
from sql.queries.jobs.finish import Ending
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob
from tests.factories.bots import make_bot
from tests.factories.databases import OwnerSql
from tests.factories.jobs import make_job, run_job


def _job(tx: Transactions, status: JobStatus = JobStatus.QUEUED) -> BotJob:
    with tx() as session:
        return make_job(session, make_bot(session), status)


def _claim(tx: Transactions, job_id: UUID) -> bool:
    with tx() as session:
        job = session.get_one(BotJob, job_id)
        version_id = session.get_one(Bot, job.bot_id).current_version_id
        assert version_id is not None
        taken = [claim_queries.Taken(job_id, new_id(), 0, version_id)]
        return bool(claim_queries.take(session, taken, lease_s=30, run_id=None, worker_id=None))


def test_of_eight_claimers_one_wins(tx: Transactions, owner_sql: OwnerSql) -> None:
    job = _job(tx)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _n: _claim(tx, job.id), range(8)))
    assert sorted(won) == [False] * 7 + [True]
    assert owner_sql("SELECT status, started_at IS NOT NULL FROM bot_jobs") == [("RUNNING", True)]


def test_of_eight_enqueuers_one_wins(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tx() as session:
        bot = make_bot(session)

    def enqueue(_number: int) -> bool:
        try:
            with tx() as session:
                make_job(session, bot)
        except GantryError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(enqueue, range(8)))
    assert sorted(won) == [False] * 7 + [True]
    assert owner_sql("SELECT count(*) FROM bot_jobs") == [(1,)]
    assert owner_sql("SELECT count(*) FROM job_run_events") == [(1,)]


def test_only_the_token_of_the_lease_ends_a_job(tx: Transactions) -> None:
    job = _job(tx, JobStatus.RUNNING)
    assert job.lease_token is not None
    with tx() as session:
        assert finish_queries.finish(session, job.id, new_id(), Ending(JobStatus.COMPLETED)) is None
        ended = finish_queries.finish(
            session, job.id, job.lease_token, Ending(JobStatus.FAILED, None, "STRATEGY_ERROR", "m", "f")
        )
        assert ended is not None
        assert finish_queries.finish(session, job.id, job.lease_token, Ending(JobStatus.COMPLETED)) is None, (
            "terminal is final"
        )
        stored = session.get_one(BotJob, job.id, populate_existing=True)
        assert (stored.status, stored.error_code, stored.lease_token) == ("FAILED", "STRATEGY_ERROR", None)
        assert stored.completed_at == ended


def renew(connection: Connection, held: dict[UUID, UUID]) -> frozenset[UUID]:
    return lease_queries.renew(connection, held, lease_s=90, timeout_ms=3_000, progress=None)


def test_a_lease_is_renewed_by_its_holder_alone(tx: Transactions, engine: Engine) -> None:
    job = _job(tx, JobStatus.RUNNING)
    assert job.lease_token is not None
    assert job.lease_expires_at is not None
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert not renew(connection, {job.id: new_id()})
        assert renew(connection, {job.id: job.lease_token}) == {job.id}
        assert connection.scalar(text("SHOW statement_timeout")) == "30s", "the pool gets it back as it was"
    with tx() as session:
        renewed = session.get_one(BotJob, job.id).lease_expires_at
    assert renewed is not None
    assert renewed - job.lease_expires_at > timedelta(seconds=55)


def test_expired_leases_are_found_once_and_live_ones_never(tx: Transactions) -> None:
    with tx() as session:
        lost = run_job(session, make_job(session, make_bot(session, "lost")), lease_s=-1)
        run_job(session, make_job(session, make_bot(session, "alive")))
        make_job(session, make_bot(session, "queued"))
    with tx() as first:
        assert [job.id for job in lease_queries.lock_expired(first, limit=10)] == [lost.id]
        with tx() as second:
            assert lease_queries.lock_expired(second, limit=10) == [], "locked by the first: left to it"


def epochs(session: Session, bot_id: UUID) -> list[int]:
    return [row[2] for row in claim_queries.lock_bots(session, [bot_id])]


def test_a_reset_waits_for_the_claims_that_copied_the_epoch(tx: Transactions) -> None:
    job = _job(tx)

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


def test_the_active_job_is_the_one_not_ended(tx: Transactions) -> None:
    with tx() as session:
        bot = make_bot(session)
        for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELED):
            make_job(session, bot, status)
        assert job_queries.active_job(session, bot.id) is None
        queued = make_job(session, bot)
        active = job_queries.active_job(session, bot.id)
        assert active is not None
        assert active.id == queued.id
        waiting = claim_queries.oldest_queued(session, [JobType.BACKTEST], limit=10, symbol=None, bot_ids=None)
        assert [one.job_id for one in waiting] == [queued.id]
