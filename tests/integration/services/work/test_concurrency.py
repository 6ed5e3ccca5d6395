"""Many at once: eight claimers at a cap of five, and ticks that overlap. The database decides, not who came first."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from uuid import UUID

from core.ids import new_id
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind
from fleet.jobs import JobReason
from fleet.workers import RunState
from services.jobs.cancel import cancel_job
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.proof.invariants import check_invariants
from services.work import workers
from sql.engine import Transactions
from sql.tables.jobs import BotJob
from tests.factories.bots import MakeBot
from tests.factories.databases import OwnerSql

CAPS = Caps(max_backtests_running=5, max_improve_running=2, max_total_jobs=6)
CLAIMERS = 8
BOTS = 60


def at_once(count: int, work: Callable[[], None]) -> None:
    """Let this many threads begin at the same moment."""
    barrier = threading.Barrier(count)

    def begin() -> None:
        barrier.wait()
        work()

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(begin) for _ in range(count)]:
            done.result()


def test_eight_claimers_at_a_cap_of_five_never_run_six_and_take_each_job_once(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        for bot_id in [make_bot(f"bot {number}") for number in range(BOTS)]:
            enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
    taken: list[UUID] = []

    def pull() -> None:
        while len(taken) < BOTS:
            with tx() as session:
                claims = claim_chunk(session, caps=CAPS, most=3, terms=LeaseTerms(), run_id="run")
            taken.extend(claim.job_id for claim in claims)
            for claim in claims:
                with tx() as session:
                    job = session.get_one(BotJob, claim.job_id)
                    cancel_job(session, job, reason=JobReason.ARCHIVED, actor="test")

    at_once(CLAIMERS, pull)

    ledger = owner_sql(
        "SELECT CASE WHEN to_status = 'RUNNING' THEN 1 ELSE -1 END FROM job_run_events "
        "WHERE to_status = 'RUNNING' OR from_status = 'RUNNING' ORDER BY created_at, to_status = 'RUNNING'"
    )
    assert len(ledger) == 2 * BOTS
    assert 1 < max(accumulate(step for (step,) in ledger)) <= CAPS.max_backtests_running
    assert len(set(taken)) == len(taken) == BOTS
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()


def test_eight_ticks_at_once_ask_for_the_same_workers_and_no_more(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        for bot_id in [make_bot(f"bot {number}") for number in range(12)]:
            enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
    asked: set[UUID] = set()

    def tick() -> None:
        asked.update(workers.tend(tx, {}, caps=CAPS, most=2, chunk=3, actor="test").start)

    at_once(CLAIMERS, tick)

    assert len(asked) == 2
    assert {row[0] for row in owner_sql("SELECT id FROM worker_runs")} == asked


def test_a_worker_that_ended_is_replaced_once_however_many_ticks_see_it(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        enqueue_job(session, make_bot(), kind=BacktestKind.BASELINE, actor="test")
    [first] = workers.tend(tx, {}, caps=CAPS, most=2, chunk=3, actor="test").start
    assert workers.begin(tx, first, run_id=str(new_id()))
    seen = {str(first): RunState.FAILED}

    at_once(CLAIMERS, lambda: _ignore(workers.tend(tx, seen, caps=CAPS, most=2, chunk=3, actor="test")))

    rows = owner_sql("SELECT id, ended_at IS NULL, end_reason FROM worker_runs ORDER BY requested_at")
    assert [(living, reason) for _id, living, reason in rows] == [(False, "RUN_FAILED"), (True, None)]


def _ignore(_demand: workers.Demand) -> None:
    return
