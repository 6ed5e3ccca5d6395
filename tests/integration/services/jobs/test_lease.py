"""A worker keeps its lease while it works, and learns when it lost it."""

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from core.errors import ErrorCode, GantryError
from services.jobs.lease import LeaseKeeper, LeaseTerms
from services.jobs.read import get_job
from services.jobs.reaper import reap_lost_leases
from sql.engine import Transactions
from tests.factories.bots import MakeBot
from tests.factories.claims import claim_one, enqueue, expire

SHORT = LeaseTerms(lease_s=0.3, heartbeat_s=0.05)


def assert_soon(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up_at
        threading.Event().wait(0.01)


def test_a_keeper_prolongs_the_lease(tx: Transactions, engine: Engine, make_bot: MakeBot) -> None:
    held = claim_one(tx, enqueue(tx, make_bot()), SHORT)
    with LeaseKeeper(engine, {held.job_id: held.token}, SHORT) as keeper:
        assert_soon(lambda: keeper.renewals > 0)
        keeper.check(held.job_id)
    with tx() as session:
        job = get_job(session, held.job_id)
        assert job.last_heartbeat_at is not None
        assert job.last_heartbeat_at > held.started_at


def test_a_keeper_whose_job_was_taken_away_lets_nothing_be_written(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    held = claim_one(tx, enqueue(tx, make_bot()), LeaseTerms(lease_s=30, heartbeat_s=0.05))
    expire(tx, held.job_id)
    reap_lost_leases(tx, actor="test")
    with LeaseKeeper(engine, {held.job_id: held.token}, LeaseTerms(lease_s=30, heartbeat_s=0.05)) as keeper:
        assert_soon(lambda: held.job_id in keeper.lost)
        with pytest.raises(GantryError) as refused:
            keeper.check(held.job_id)
    assert refused.value.code is ErrorCode.HEARTBEAT_TIMEOUT
