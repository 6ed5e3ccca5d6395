"""Only who holds a job's lease renews it, and a lease that is over is found once."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from core.ids import new_id
from fleet.closed_sets import JobStatus
from sql.engine import Transactions
from sql.queries.jobs import lease as lease_queries
from sql.tables.jobs import BotJob
from tests.factories.bots import make_bot
from tests.factories.jobs import make_job, new_job, run_job


def renew(connection: Connection, held: dict[UUID, UUID]) -> frozenset[UUID]:
    return lease_queries.renew(connection, held, lease_s=90, timeout_ms=3_000, progress=None)


def test_a_lease_is_renewed_by_its_holder_alone(tx: Transactions, engine: Engine) -> None:
    job = new_job(tx, JobStatus.RUNNING)
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
