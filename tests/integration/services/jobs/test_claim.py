"""Workers take the oldest due jobs, under the caps, and everything a claim writes is one fixed set of statements."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, func, select, text, update
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, DataLabel, JobStatus, JobType
from integrations.store import BarsStore
from services.backtests import compute
from services.backtests.chunk import ChunkGrader
from services.backtests.compute import Computed, Material
from services.backtests.grade import grade_bots
from services.backtests.rollups import refresh_rollup
from services.backtests.scores import refresh_score
from services.bars.simulate import ensure_simulated, simulate_months
from services.finding import lock_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim, Plan
from services.jobs.read import get_job
from services.jobs.reaper import Reaper, fail_jobs_of_dead_runs, reap_lost_leases
from services.jobs.terms import GradeTerms
from services.work.pull import PullWorker
from sql.engine import Transactions, unavailable
from sql.queries import clock as clock_queries
from sql.tables.bots import Bot, BotVersion
from sql.tables.events import SystemEventRow
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore, MetricsRollup
from sql.tables.workers import WorkerRun
from tests.factories.jobs import make_job
from tests.integration.services.conftest import MONTH, NOW, MakeBot
from trading.strategies.base import Decisions, MarketView
from trading.strategies.registry import STRATEGIES
from trading.strategies.sma_cross import SmaCross

OPEN = Caps(100, 100, 100)


def queue(tx: Transactions, *bot_ids: UUID) -> list[UUID]:
    made = []
    for bot_id in bot_ids:  # one transaction each: a job's age is its transaction's
        with tx() as session:
            made.append(enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test"))
    return made


def claim(
    tx: Transactions, most: int = 100, *, caps: Caps = OPEN, symbol: str | None = None, run_id: str | None = None
) -> tuple[Claim, ...]:
    with tx() as session:
        return claim_chunk(session, caps=caps, most=most, terms=LeaseTerms(), run_id=run_id, symbol=symbol)


def test_the_oldest_are_taken_first_and_no_more_than_asked(tx: Transactions, make_bot: MakeBot) -> None:
    queued = queue(tx, *(make_bot(f"bot {number}") for number in range(5)))
    assert [one.job_id for one in claim(tx, 2)] == queued[:2]
    assert [one.job_id for one in claim(tx, 9)] == queued[2:]
    assert claim(tx) == ()


def test_never_more_than_the_caps_leave(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, *(make_bot(f"bot {number}") for number in range(5)))
    assert len(claim(tx, caps=Caps(3, 2, 6))) == 3
    assert claim(tx, caps=Caps(3, 2, 6)) == ()
    assert len(claim(tx, caps=Caps(9, 2, 4))) == 1


def test_a_symbol_can_be_preferred(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, make_bot("first", symbol="ES"), make_bot("second", symbol="CL"))
    assert [one.plan.bars.symbol for one in claim(tx, symbol="CL")] == ["CL"]
    assert [one.plan.bars.symbol for one in claim(tx)] == ["ES"]


def test_a_retry_waits_until_it_is_due(tx: Transactions, make_bot: MakeBot) -> None:
    (job_id,) = queue(tx, make_bot())
    with tx() as session:
        session.execute(update(BotJob).values(not_before=func.now() + timedelta(hours=1)))
    assert claim(tx) == ()
    with tx() as session:
        session.execute(update(BotJob).values(not_before=func.now()))
    assert [one.job_id for one in claim(tx)] == [job_id]


def test_a_job_of_an_archived_bot_is_left_alone(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, make_bot())
    with tx() as session:
        session.execute(update(Bot).values(archived_at=NOW))
    assert claim(tx) == ()


def test_a_bot_that_someone_is_changing_is_passed_over_and_found_by_the_next_claim(
    tx: Transactions, make_bot: MakeBot
) -> None:
    held, free = make_bot("held"), make_bot("free")
    queue(tx, held, free)
    with tx() as session:
        lock_bot(session, held)
        assert [one.bot_id for one in claim(tx)] == [free]
    assert [one.bot_id for one in claim(tx)] == [held]


def test_a_claim_takes_as_many_statements_for_forty_jobs_as_for_one(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    queue(tx, *(make_bot(f"bot {number}") for number in range(41)))
    counts = []
    for most in (1, 40):
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object, into: list[str] = statements) -> None:
            into.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        assert len(claim(tx, most)) == most
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_job_that_runs_for_too_long_times_out_though_its_heart_beats(tx: Transactions, make_bot: MakeBot) -> None:
    (job_id,) = queue(tx, make_bot())
    claim(tx)
    assert reap_lost_leases(tx, actor="test", max_job_minutes=30).timed_out == ()
    with tx() as session:
        session.execute(update(BotJob).values(started_at=func.now() - timedelta(minutes=31)))
    assert reap_lost_leases(tx, actor="test", max_job_minutes=30).timed_out == (job_id,)
    with tx() as session:
        assert get_job(session, job_id).error_code == "JOB_TIMEOUT"


def test_jobs_of_a_run_that_is_over_fail_at_once_and_those_of_others_go_on(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, make_bot("one"), make_bot("two"))
    dead, alive = claim(tx, 1, run_id="dead"), claim(tx, 1, run_id="alive")
    report = fail_jobs_of_dead_runs(tx, ["dead"], actor="test")
    assert report.timed_out == (dead[0].job_id,)
    with tx() as session:
        assert get_job(session, alive[0].job_id).status == JobStatus.RUNNING
        retry = get_job(session, report.retried[0])
        assert (retry.attempt, retry.status) == (2, "QUEUED")
        assert retry.not_before is not None
        wait = retry.not_before - clock_queries.database_time(session)
    assert timedelta(0) < wait < timedelta(seconds=1.2)


def test_after_a_jump_of_the_databases_clock_leases_are_armed_anew_and_none_is_reaped(
    tx: Transactions, make_bot: MakeBot
) -> None:
    (job_id,) = queue(tx, make_bot())
    claim(tx)
    with tx() as session:
        session.execute(update(BotJob).values(lease_expires_at=func.now() - timedelta(hours=1)))
    reaper = Reaper(30.0)
    with tx() as session:
        before = clock_queries.database_time(session)
    reaper._seen = (before - timedelta(hours=1), time.monotonic())
    report = reaper.tick(tx, actor="test")
    assert (report.timed_out, report.rearmed) == ((), 1)
    with tx() as session:
        assert get_job(session, job_id).status == JobStatus.RUNNING
        assert session.scalars(select(SystemEventRow.event_type)).all() == ["LEASES_REARMED"]
    assert reaper.tick(tx, actor="test").timed_out == (), "armed anew: whoever is really gone is found a lease later"


@pytest.mark.usefixtures("es_bars")
def test_what_a_chunk_writes_of_a_bot_is_what_the_raw_rows_give(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    strategies = ("sma_cross", "rsi_reversion", "donchian_breakout")
    bot_ids = [make_bot(strategy, strategy=strategy) for strategy in strategies]
    assert not grade_bots(tx, store, bot_ids, run_id=None, actor="test", now=NOW).failed

    def standing() -> list[tuple[object, ...]]:
        with tx() as session:
            figures = session.execute(select(MetricsRollup.__table__).order_by(MetricsRollup.bot_id)).all()
            kept = [column for column in AutonomyScore.__table__.columns if column.name != "id"]
            found = session.execute(select(*kept).order_by(AutonomyScore.bot_id)).all()
            return [tuple(row) for row in (*figures, *found)]

    written = standing()
    with tx() as session:
        for bot_id in bot_ids:
            refresh_rollup(session, bot_id, now=NOW)
            refresh_score(session, bot_id, now=NOW)
    assert standing() == written


@pytest.mark.usefixtures("es_bars")
def test_a_backtest_of_a_version_that_was_replaced_meanwhile_is_kept_and_doesnt_stand_for_the_new_one(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    queue(tx, bot_id)
    held = claim(tx)
    with tx() as session:
        old = session.get_one(BotVersion, held[0].version_id)
        new = BotVersion(
            id=new_id(), bot_id=bot_id, number=2, parent_id=old.id, strategy=old.strategy, params=old.params,
            costs=old.costs, window=old.window, reason_code="TEST", trace_id=old.trace_id,
        )  # fmt: skip
        session.add(new)
        session.flush()
        session.execute(update(Bot).values(current_version_id=new.id))
    (graded,) = ChunkGrader(tx, store, None, LeaseTerms()).grade(held, NOW)
    assert graded.status is JobStatus.COMPLETED
    with tx() as session:
        assert session.scalar(select(func.count()).select_from(BacktestSession)) == 1
        assert session.scalar(select(func.count()).select_from(MetricsRollup)) == 0


def pull(tx: Transactions, store: BarsStore, terms: GradeTerms | None = None, top_up: object = None) -> PullWorker:
    with tx() as session:
        row = WorkerRun(id=new_id(), job_type="BACKTEST", trace_id="0" * 32)
        session.add(row)

    def ensure(symbol: str) -> bool:
        ensure_simulated(tx, store, symbol, actor="test", now=NOW)
        return True

    return PullWorker(
        tx, store, row.id, "run-1", terms or GradeTerms(), lambda: NOW, on_chunk=lambda _bots: None,
        top_up=ensure if top_up is None else lambda _symbol: True, idle_s=0.0,
    )  # fmt: skip


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


@pytest.mark.usefixtures("es_bars")
def test_bots_that_are_asked_for_wait_for_room_under_the_caps(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    busy, asked = make_bot("busy"), make_bot("asked")
    queue(tx, busy)
    claim(tx)
    terms = replace(GradeTerms(), caps=Caps(1, 1, 1), wait_elsewhere_s=0.2)
    (graded,) = grade_bots(tx, store, [asked], run_id=None, actor="test", now=NOW, terms=terms).bots
    assert graded.status is JobStatus.RUNNING
    assert graded.error is not None
    assert graded.error.code is ErrorCode.CONFLICT


@pytest.mark.usefixtures("es_bars")
def test_a_reset_that_is_followed_waits_for_no_improvement_of_a_bot_that_has_its_baseline(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    first = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW).bots
    with tx() as session:
        improving = make_job(session, session.get_one(Bot, bot_id), job_type=JobType.IMPROVE, kind=None).id
    terms = replace(GradeTerms(), only_missing=True, wait_elsewhere_s=0.2)
    (found,) = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW, terms=terms).bots
    assert (found.status, found.session_id) == (JobStatus.COMPLETED, first[0].session_id)
    with tx() as session:
        assert session.scalar(select(BotJob.status).where(BotJob.id == improving)) == JobStatus.QUEUED


def test_two_sessions_of_one_job_are_refused(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    simulate_months(tx, store, ["ES"], [MONTH], actor="test", now=NOW)
    grade_bots(tx, store, [make_bot()], run_id=None, actor="test", now=NOW)
    copy = (
        "INSERT INTO backtest_sessions "
        "SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).* FROM backtest_sessions s"
    )
    with pytest.raises(GantryError, match="has its session already"), tx() as session:
        session.execute(text(copy))


class Broken(SmaCross):
    """A strategy that always raises."""

    name: ClassVar[str] = "broken"

    def decide(self, view: MarketView, params: Any) -> Decisions:  # noqa: ARG002 - the strategy's signature
        raise RuntimeError("no idea")


@pytest.mark.usefixtures("es_bars")
def test_a_chunk_of_nothing_but_failing_bots_ends_with_their_failures(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "broken", Broken())
    queue(tx, make_bot("one", strategy="broken"), make_bot("two", strategy="broken"))
    graded = ChunkGrader(tx, store, None, LeaseTerms()).grade(claim(tx), NOW)
    assert [bot.error.code for bot in graded if bot.error] == ["STRATEGY_ERROR"] * 2
    with tx() as session:
        assert session.scalars(select(BotJob.status)).all() == ["FAILED"] * 2
        assert session.scalars(select(BacktestSession.status)).all() == ["FAILED"] * 2


@pytest.mark.usefixtures("es_bars")
def test_a_result_that_cant_be_stored_fails_its_bot_and_the_others_of_its_chunk_are_kept(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = make_bot("good"), make_bot("bad", strategy="rsi_reversion")
    queue(tx, good, bad)
    real = compute.compute

    def spoiled(plan: Plan, material: Material) -> Computed:
        made = real(plan, material)
        return replace(made, analysis={"x": {"observed": float("nan")}}) if plan.bot_id == bad else made

    monkeypatch.setattr(compute, "compute", spoiled)
    graded = {bot.bot_id: bot for bot in ChunkGrader(tx, store, None, LeaseTerms()).grade(claim(tx), NOW)}
    assert graded[good].status is JobStatus.COMPLETED
    assert graded[bad].status is JobStatus.FAILED
    assert [bot.error.code for bot in graded.values() if bot.error] == [ErrorCode.INTERNAL]


@pytest.mark.usefixtures("es_bars")
def test_a_commit_whose_answer_was_lost_is_found_to_have_happened(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    queue(tx, make_bot())
    held = claim(tx)
    lost: list[bool] = []

    @contextmanager
    def forgetful() -> Iterator[Session]:
        with tx() as session:
            yield session
            wrote = session.scalar(select(func.count()).select_from(BacktestSession))
        if wrote and not lost:
            lost.append(True)
            raise unavailable("The connection was cut after the commit.")

    (graded,) = ChunkGrader(forgetful, store, None, LeaseTerms()).grade(held, NOW)
    assert lost
    assert graded.status is JobStatus.COMPLETED
    with tx() as session:
        assert session.scalars(select(BacktestSession.id)).all() == [graded.session_id]
