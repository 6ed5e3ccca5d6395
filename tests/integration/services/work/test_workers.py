"""As many workers as there is work for, and no more."""

from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, JobType
from services.jobs.enqueue import enqueue_job
from services.work import workers
from sql.engine import Transactions
from tests.factories.bots import MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.improvements import queue_improvement


def test_a_tick_sees_that_workers_live_for_improvements_beside_those_for_backtests(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    queue_improvement(tx, make_bot("one"), place=1)
    queue_improvement(tx, make_bot("two"), JobType.EVOLVE, place=2)
    with tx() as session:
        enqueue_job(session, make_bot("three"), kind=BacktestKind.BASELINE, actor="test")
    first, second = (workers.tend(tx, {}, caps=Caps(), most=2, chunk=3, actor="test") for _ in range(2))
    assert (first.due, len(first.start), len(first.improving)) == (3, 3, 2)
    assert (set(second.start), second.improving) == (set(first.start), first.improving)
    kinds = owner_sql("SELECT id, job_type FROM worker_runs ORDER BY job_type")
    assert [kind for _id, kind in kinds] == ["BACKTEST", "IMPROVE", "IMPROVE"]
    assert {worker_id for worker_id, _ in kinds[1:]} == first.improving


def test_without_room_under_the_cap_no_worker_is_asked_for(tx: Transactions, make_bot: MakeBot) -> None:
    queue_improvement(tx, make_bot())
    assert workers.tend(tx, {}, caps=Caps(3, 0, 6), most=2, chunk=3, actor="test").start == ()
