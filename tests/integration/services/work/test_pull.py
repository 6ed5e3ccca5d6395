"""A worker pulls jobs of its own kinds until nothing waits, and improvements are left to a worker of their own."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select, text, update

from core.errors import ErrorCode
from fleet.caps import BACKTESTS, IMPROVING, Caps
from fleet.closed_sets import BacktestKind, DataLabel, JobStatus, JobType, TickCause
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from integrations.store import BarsStore
from services.improve.run import ImprovedBot
from services.jobs.enqueue import enqueue_job
from services.jobs.read import get_job
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from services.proof.invariants import check_invariants
from services.work import workers
from services.work.pull import PullWorker
from sql.engine import Transactions
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.workers import WorkerRun
from tests.factories.bots import NOW, MakeBot
from tests.factories.claims import queue
from tests.factories.databases import OwnerSql
from tests.factories.improvements import FAR_OFF, TERMS, assert_sound, outcomes, queue_improvement
from tests.factories.pulling import pull


@pytest.mark.usefixtures("edge")
def test_a_worker_for_improvements_improves_bot_after_bot_and_leaves_backtests_alone(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    queue_improvement(tx, make_bot("one", strategy="bollinger_reversion"), place=1)
    queue_improvement(tx, make_bot("two"), JobType.EVOLVE, place=2)
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
    terms = PlannerTerms(PlannerCaps(caps, improve=TERMS.improve), Suppliers("files", can=False))
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


def test_a_worker_gives_a_symbol_bars_before_it_takes_its_jobs(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    (job_id,) = queue(tx, make_bot())
    assert pull(tx, store).run().jobs_done == 1
    with tx() as session:
        assert get_job(session, job_id).status == JobStatus.COMPLETED
        label = session.scalars(select(BacktestSession.data_label)).one()
    assert label == DataLabel.SIMULATED


@pytest.mark.usefixtures("es_bars")
def test_a_bot_without_bars_fails_alone_with_a_fix_and_is_not_tried_again(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bad, good = queue(tx, make_bot("no bars", symbol="CL"), make_bot("good"))
    assert pull(tx, store, top_up=False).run().jobs_done == 2
    with tx() as session:
        assert get_job(session, good).status == JobStatus.COMPLETED
        failed = get_job(session, bad)
        assert (failed.status, failed.error_code) == ("FAILED", ErrorCode.DATA_UNAVAILABLE)
        assert failed.suggested_fix
        assert session.scalar(select(func.count()).select_from(BotJob)) == 2, "no retry: nothing changed"


def test_a_worker_whose_row_was_ended_takes_nothing(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    queue(tx, make_bot())
    worker = pull(tx, store)
    with tx() as session:
        session.execute(update(WorkerRun).values(ended_at=func.now(), end_reason="TEST"))
    assert worker.run().reason == "ENDED"
    with tx() as session:
        assert session.scalars(select(BotJob.status)).all() == ["QUEUED"]
