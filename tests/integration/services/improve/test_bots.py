"""Improvements are claimed under a cap of their own, one at a time, by a worker of their own."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text

from core.errors import ErrorCode, GantryError
from fleet.caps import BACKTESTS, IMPROVING, Caps
from fleet.closed_sets import BacktestKind, JobStatus, JobType, TickCause
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from integrations.store import BarsStore
from services.improve.run import ImprovedBot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.read import get_job
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from services.proof.invariants import check_invariants
from services.work import workers
from services.work.pull import PullWorker
from sql.engine import Transactions
from tests.conftest import OwnerSql
from tests.factories.improvements import (
    FAR_OFF,
    TERMS,
    assert_sound,
    outcomes,
    queue,
    take,
    told,
)
from tests.integration.services.conftest import NOW, MakeBot


def test_a_bot_has_one_improvement_at_a_time(tx: Transactions, far_off: UUID) -> None:
    queue(tx, far_off)
    with pytest.raises(GantryError) as refused, tx() as session:
        enqueue_job(session, far_off, kind=None, actor="test", job_type=JobType.EVOLVE)
    assert refused.value.code is ErrorCode.CONFLICT
    with pytest.raises(GantryError):
        queue(tx, far_off, JobType.EVOLVE, place=2)
    assert len(take(tx, 9)) == 1
    assert take(tx, 9) == ()


def test_improvements_of_both_kinds_share_a_cap_and_backtests_have_their_own(
    tx: Transactions, make_bot: MakeBot
) -> None:
    kinds = [JobType.IMPROVE, JobType.EVOLVE, JobType.EVOLVE, JobType.IMPROVE]
    bots = [make_bot(f"bot {number}") for number in range(5)]
    for place, (bot_id, kind) in enumerate(zip(bots, kinds, strict=False), start=1):
        queue(tx, bot_id, kind, place=place)
    with tx() as session:
        enqueue_job(session, bots[4], kind=BacktestKind.BASELINE, actor="test")
    caps = Caps(3, 2, 9)
    assert [claim.job_type for claim in take(tx, 9, caps=caps)] == kinds[:2]
    assert take(tx, 9, caps=caps) == ()
    with tx() as session:
        (backtest,) = claim_chunk(session, caps=caps, most=9, terms=LeaseTerms(), run_id=None)
    assert backtest.job_type is JobType.BACKTEST
    started = [kind for kind in told(tx) if kind.endswith("_STARTED")]
    assert sorted(started) == ["BACKTEST_STARTED", "EVOLVE_STARTED", "IMPROVE_STARTED"]


def test_a_claim_of_both_kinds_takes_as_many_statements_as_one_of_a_single_job(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    for place in range(1, 8):
        kind = JobType.IMPROVE if place % 2 else JobType.EVOLVE
        queue(tx, make_bot(f"bot {place}"), kind, place=place)
    counts = []
    for most in (1, 6):
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object, into: list[str] = statements) -> None:
            into.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        assert len(take(tx, most)) == most
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_tick_sees_that_workers_live_for_improvements_beside_those_for_backtests(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    queue(tx, make_bot("one"), place=1)
    queue(tx, make_bot("two"), JobType.EVOLVE, place=2)
    with tx() as session:
        enqueue_job(session, make_bot("three"), kind=BacktestKind.BASELINE, actor="test")
    first, second = (workers.tend(tx, {}, caps=Caps(), most=2, chunk=3, actor="test") for _ in range(2))
    assert (first.due, len(first.start), len(first.improving)) == (3, 3, 2)
    assert (set(second.start), second.improving) == (set(first.start), first.improving)
    kinds = owner_sql("SELECT id, job_type FROM worker_runs ORDER BY job_type")
    assert [kind for _id, kind in kinds] == ["BACKTEST", "IMPROVE", "IMPROVE"]
    assert {worker_id for worker_id, _ in kinds[1:]} == first.improving


def test_without_room_under_the_cap_no_worker_is_asked_for(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, make_bot())
    assert workers.tend(tx, {}, caps=Caps(3, 0, 6), most=2, chunk=3, actor="test").start == ()


@pytest.mark.usefixtures("edge")
def test_a_worker_for_improvements_improves_bot_after_bot_and_leaves_backtests_alone(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    queue(tx, make_bot("one", strategy="bollinger_reversion"), place=1)
    queue(tx, make_bot("two"), JobType.EVOLVE, place=2)
    with tx() as session:
        backtest = enqueue_job(session, make_bot("three"), kind=BacktestKind.BASELINE, actor="test")
    (worker_id,) = workers.tend(tx, {}, caps=Caps(0, 1, 6), most=2, chunk=3, actor="test").improving
    ended: list[ImprovedBot] = []
    report = PullWorker(
        tx, store, worker_id, "run", TERMS, lambda: NOW, on_chunk=lambda _bots: None, top_up=lambda _symbol: True,
        idle_s=0.0, job_types=IMPROVING, on_improved=ended.append,
    ).run()  # fmt: skip
    assert (report.jobs_done, report.reason) == (2, "IDLE")
    assert [(bot.job_type, bot.status) for bot in ended] == [("IMPROVE", "COMPLETED"), ("EVOLVE", "COMPLETED")]
    with tx() as session:
        assert get_job(session, backtest).status == JobStatus.QUEUED
        done = session.execute(text("SELECT jobs_done, end_reason FROM worker_runs")).one()
    assert tuple(done) == (2, "IDLE")
    assert_sound(tx)


@pytest.mark.usefixtures("edge")
def test_with_nothing_asked_for_bots_get_a_baseline_an_improvement_and_a_baseline_of_what_was_adopted(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bots = [make_bot(f"bot {number}", strategy="bollinger_reversion", params=FAR_OFF) for number in range(4)]
    caps = Caps(2, 2, 3)
    terms = PlannerTerms(PlannerCaps(caps), Suppliers("files", can=False))
    for _round in range(4):
        run_tick(tx, terms, cause=TickCause.CLOCK)
        demand = workers.tend(tx, {}, caps=caps, most=1, chunk=32, actor="test")
        for worker_id in demand.start:
            PullWorker(
                tx, store, worker_id, "run", replace(TERMS, caps=caps), lambda: NOW, on_chunk=lambda _bots: None,
                top_up=lambda _symbol: True, idle_s=0.0,
                job_types=IMPROVING if worker_id in demand.improving else BACKTESTS,
            ).run()  # fmt: skip
    ran = owner_sql(
        "SELECT bot_id, array_agg(coalesce(kind, job_type) ORDER BY created_at) FROM bot_jobs "
        "WHERE status = 'COMPLETED' GROUP BY bot_id"
    )
    adopted = {row.bot_id for row in outcomes(tx) if row.verdict == "ADOPTED"}
    assert adopted, "on these bars what pays is found"
    assert dict(ran) == {
        bot_id: ["BASELINE", "IMPROVE", "BASELINE"] if bot_id in adopted else ["BASELINE", "IMPROVE"] for bot_id in bots
    }
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()
