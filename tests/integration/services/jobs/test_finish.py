"""Only the holder of a job's lease can end it."""

import pytest

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from services.jobs.finish import fail_job
from services.jobs.reaper import reap_lost_leases
from sql.engine import Transactions
from sql.queries.jobs import finish as queries
from tests.factories.bots import MakeBot
from tests.factories.claims import attempts, claim_one, enqueue, expire, lost


def test_a_late_worker_changes_nothing(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    late = claim_one(tx, job_id)
    expire(tx, job_id)
    reap_lost_leases(tx, actor="test")
    with tx() as session:
        assert queries.complete(session, {late.job_id: (late.token, new_id())}) == {}
    with pytest.raises(GantryError) as refused, tx() as session:
        fail_job(session, late, lost(), session_id=None)
    assert refused.value.code is ErrorCode.HEARTBEAT_TIMEOUT
    assert attempts(tx) == [(1, "TIMEOUT"), (2, "QUEUED")]
