"""Grading writes everything a backtest led to in one transaction, or nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import func, select

from core.errors import ErrorCode, GantryError
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, DataLabel, JobStatus, JobType
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.bots.read import get_bot
from services.jobs.enqueue import enqueue_job
from services.jobs.read import get_job
from services.jobs.reaper import reap_lost_leases
from services.jobs.terms import GradeTerms
from sql.engine import Transactions
from sql.tables.bots import Bot
from sql.tables.events import Activity
from sql.tables.jobs import BotJob, JobRunEvent
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import AutonomyScore, MetricsRollup
from tests.factories.bots import NOW, MakeBot, a_version
from tests.factories.claims import attempts, claim, claim_one, enqueue, expire, queue
from tests.factories.graded import grade
from tests.factories.jobs import make_job
from trading.bars.schema import Bars
from trading.strategies.base import Decisions, MarketView, Params, Strategy
from trading.strategies.registry import STRATEGIES
from trading.strategies.sma_cross import SmaCross, SmaCrossParams


@pytest.mark.usefixtures("es_bars")
def test_a_graded_bot_has_session_trades_equity_rollup_score_and_ledger(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    (graded,) = grade(tx, store, bot_id).bots
    assert graded.status is JobStatus.COMPLETED
    assert graded.error is None
    with tx() as session:
        stored = session.get_one(BacktestSession, graded.session_id)
        assert stored.data_label == DataLabel.SIMULATED
        assert stored.run_id == "run-1"
        trades = session.scalar(select(func.count()).where(TradeLog.session_id == stored.id))
        total = session.scalar(select(func.sum(TradeLog.net_pnl)).where(TradeLog.session_id == stored.id))
        assert trades == stored.total_trades
        assert (trades or 0) > 50
        assert total == stored.net_pnl
        last = session.scalars(
            select(EquityPoint).where(EquityPoint.session_id == stored.id).order_by(EquityPoint.seq.desc()).limit(1)
        ).one()
        unrealized = (stored.open_position or {}).get("unrealized_e4", 0)
        assert total is not None
        assert int((last.equity_usd - total) * 10_000) == unrealized
        rollup = session.get_one(MetricsRollup, (bot_id, "BACKTEST"))
        assert (rollup.session_id, rollup.net_pnl) == (stored.id, stored.net_pnl)
        score = session.scalars(select(AutonomyScore)).one()
        assert score.session_id == stored.id
        ledger = session.scalars(select(JobRunEvent).order_by(JobRunEvent.id)).all()
        assert [(row.from_status, row.to_status, row.reason_code) for row in ledger] == [
            (None, "QUEUED", "REQUESTED"),
            ("QUEUED", "RUNNING", "CLAIMED"),
            ("RUNNING", "COMPLETED", "FINISHED"),
        ]
        reported = session.scalars(select(Activity.event_type).order_by(Activity.created_at, Activity.id)).all()
        assert reported == ["BOT_CREATED", "BACKTEST_QUEUED", "BACKTEST_STARTED", "BACKTEST_COMPLETED"]
        assert len({row.trace_id for row in ledger} | {stored.trace_id, score.trace_id}) == 1


@pytest.mark.usefixtures("es_bars")
def test_grading_twice_gives_identical_trades_and_the_metrics_of_the_newest_session(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    first = grade(tx, store, bot_id).bots[0]
    second = grade(tx, store, bot_id).bots[0]
    assert first.metrics == second.metrics
    assert first.session_id != second.session_id
    with tx() as session:
        view = get_bot(session, bot_id, now=NOW)
        kinds = session.scalars(select(BotJob.kind).order_by(BotJob.created_at)).all()
    assert view.session_id == second.session_id
    assert first.metrics is not None
    assert view.metrics.net_pnl == first.metrics.net_pnl
    assert kinds == ["BASELINE", "MANUAL"]


@pytest.mark.usefixtures("es_bars")
def test_one_bot_failing_fails_that_bot_alone(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    good, without_bars = make_bot("good"), make_bot("bad", symbol="GC")
    report = grade(tx, store, good, without_bars)
    assert [bot.status for bot in report.bots] == [JobStatus.COMPLETED, JobStatus.FAILED]
    assert [bot.bot_id for bot in report.failed] == [without_bars]
    error = report.failed[0].error
    assert error is not None
    assert error.code is ErrorCode.DATA_UNAVAILABLE
    assert error.fix
    with tx() as session:
        stored = session.get_one(BacktestSession, report.failed[0].session_id)
        assert (stored.status, stored.error_code, stored.data_label) == ("FAILED", "DATA_UNAVAILABLE", None)
        view = get_bot(session, without_bars, now=NOW)
        assert view.metrics.reason == "NEEDS_BACKTEST"
        assert view.bot_now.state == "BLOCKED"
        assert view.bot_now.alerts[0].code == "DATA_UNAVAILABLE"
        jobs_of_bad = session.scalars(select(BotJob).where(BotJob.bot_id == without_bars)).all()
        assert [job.status for job in jobs_of_bad] == ["FAILED"]


@pytest.mark.usefixtures("es_bars")
@pytest.mark.parametrize(
    "columns",
    [
        {"costs": {}},
        {"costs": {"slippage_ticks": "many", "commission_usd": "2", "contracts": 1}},
        {"costs": {"slippage_ticks": 1, "commission_usd": "free", "contracts": 1}},
        {"window": {"start": "2024-01"}},
        {"params": [1, 2]},
        {"params": {"fast": "?"}},
        {"strategy": "gone"},
    ],
)
def test_a_version_that_cant_be_read_fails_its_own_bot_and_no_other(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, columns: dict[str, Any]
) -> None:
    good, broken = make_bot("good"), make_bot("broken")
    with tx() as session:
        bot = session.get_one(Bot, broken)
        bot.current_version_id = None
        session.flush()
        version = a_version(bot, number=2, **columns)
        session.add(version)
        session.flush()
        bot.current_version_id = version.id
    report = grade(tx, store, good, broken)
    assert {bot.bot_id: bot.status for bot in report.bots} == {good: JobStatus.COMPLETED, broken: JobStatus.FAILED}
    assert report.failed[0].error is not None
    assert report.failed[0].error.code is ErrorCode.VALIDATION_FAILED


class Saying(Strategy):
    """Fails with a text of its own."""

    name = "saying"
    label = "Saying"
    params_type = SmaCrossParams

    def __init__(self, text: str) -> None:
        self.text = text

    def warmup(self, params: Params) -> int:  # noqa: ARG002 - the base class's signature
        return 0

    def decide(self, view: MarketView, params: Params) -> Decisions:  # noqa: ARG002 - the same
        raise RuntimeError(self.text)


@pytest.mark.usefixtures("es_bars")
@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 10_000])
def test_whatever_a_strategy_says_as_it_fails_its_job_fails_and_the_next_bot_is_graded(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setitem(STRATEGIES, "saying", Saying(text))
    bad, good = make_bot("bad", strategy="saying"), make_bot("good")
    report = grade(tx, store, bad, good)
    assert [bot.status for bot in report.bots] == [JobStatus.FAILED, JobStatus.COMPLETED]
    with tx() as session:
        job = session.get_one(BotJob, report.bots[0].job_id)
        assert job.error_message is not None
        assert job.error_message.startswith("Strategy saying raised RuntimeError")
        assert len(job.error_message) < 1_100


@pytest.mark.usefixtures("es_bars")
def test_what_is_derived_is_never_dated_before_the_session_it_rests_on(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    (graded,) = grade(tx, store, bot_id).bots  # as of NOW, long before the database's clock
    with tx() as session:
        ended = session.get_one(BacktestSession, graded.session_id).completed_at
        assert session.get_one(MetricsRollup, (bot_id, "BACKTEST")).updated_at >= ended
        assert session.scalars(select(AutonomyScore)).one().last_updated_at >= ended


@pytest.mark.usefixtures("es_bars")
def test_a_queued_job_is_the_one_that_is_graded_and_keeps_its_trace(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    with tx() as session:
        job_id = enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="someone")
        trace_id = get_job(session, job_id).trace_id
    (graded,) = grade(tx, store, bot_id).bots
    assert graded.job_id == job_id
    with tx() as session:
        assert session.get_one(BacktestSession, graded.session_id).trace_id == trace_id


def test_an_unknown_bot_stops_before_anything_is_done(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    known = make_bot()
    with pytest.raises(GantryError) as refused:
        grade(tx, store, known, UUID(int=1))
    assert refused.value.code is ErrorCode.NOT_FOUND
    with tx() as session:
        assert session.scalar(select(func.count()).select_from(BotJob)) == 0


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


class Thief(SmaCross):
    """A strategy during whose decision the bot's lease is lost."""

    name: ClassVar[str] = "thief"

    def __init__(self, tx: Transactions) -> None:
        self.tx = tx

    def decide(self, view: MarketView, params: Any) -> Decisions:
        with self.tx() as session:
            running = session.scalars(select(BotJob.id).where(BotJob.status == "RUNNING")).one_or_none()
        if running is not None:
            expire(self.tx, running)
            reap_lost_leases(self.tx, actor="test")
        return super().decide(view, params)


@pytest.mark.usefixtures("es_bars")
def test_a_worker_that_loses_its_lease_while_computing_writes_nothing(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "thief", Thief(tx))
    bot_id = make_bot(strategy="thief")
    terms = GradeTerms(max_attempts=1)
    (graded,) = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW, terms=terms).bots
    assert graded.status is JobStatus.TIMEOUT
    assert graded.error is not None
    assert graded.error.code is ErrorCode.HEARTBEAT_TIMEOUT
    with tx() as session:
        assert session.scalar(select(func.count()).select_from(BacktestSession)) == 0
        assert session.scalar(select(func.count()).select_from(TradeLog)) == 0
    assert attempts(tx) == [(1, "TIMEOUT")]


@pytest.mark.usefixtures("es_bars")
def test_a_job_lost_elsewhere_is_taken_over_by_who_waits_for_it(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    job_id = enqueue(tx, bot_id)
    claim_one(tx, job_id)
    expire(tx, job_id)
    (graded,) = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW).bots
    assert graded.status is JobStatus.COMPLETED
    assert attempts(tx) == [(1, "TIMEOUT"), (2, "COMPLETED")]


def test_waiting_for_another_worker_has_an_end(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    claim_one(tx, enqueue(tx, bot_id))
    terms = GradeTerms(wait_elsewhere_s=0.0)
    (graded,) = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW, terms=terms).bots
    assert graded.status is JobStatus.RUNNING
    assert graded.error is not None
    assert graded.error.code is ErrorCode.CONFLICT


class BrokenStore(BarsStore):
    """A store with a defect."""

    def read(self, paths: Sequence[str]) -> Bars:  # noqa: ARG002 - the port's signature
        raise ZeroDivisionError


@pytest.mark.usefixtures("es_bars")
def test_a_defect_while_grading_fails_the_job_and_queues_another_attempt(
    tx: Transactions, tmp_path: Path, make_bot: MakeBot
) -> None:
    broken = BrokenStore(str(tmp_path))
    (graded,) = grade_bots(tx, broken, [make_bot()], run_id=None, actor="test", now=NOW).bots
    assert graded.status is JobStatus.FAILED
    assert graded.error is not None
    assert graded.error.code is ErrorCode.INTERNAL
    assert attempts(tx) == [(1, "FAILED"), (2, "QUEUED")]
