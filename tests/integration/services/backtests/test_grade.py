"""Grading writes everything a backtest led to in one transaction, or nothing."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import BacktestKind, DataLabel, JobStatus
from integrations.store import BarsStore
from services.backtests.grade import GradeReport, grade_bots
from services.backtests.lineage import lineage_of_score
from services.backtests.rollups import from_raw_rows, refresh_rollup
from services.backtests.scores import refresh_score
from services.bots.read import get_bot
from services.jobs.enqueue import enqueue_job
from services.jobs.read import get_job
from sql.engine import Transactions
from sql.tables.bots import Bot
from sql.tables.events import Activity
from sql.tables.jobs import BotJob, JobRunEvent
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import AutonomyScore, MetricsRollup
from tests.factories.bots import a_version
from tests.integration.services.conftest import MONTH, NOW, MakeBot
from trading.strategies.base import Decisions, MarketView, Params, Strategy
from trading.strategies.registry import STRATEGIES
from trading.strategies.sma_cross import SmaCrossParams


def grade(tx: Transactions, store: BarsStore, *bot_ids: UUID) -> GradeReport:
    return grade_bots(tx, store, bot_ids, run_id="run-1", actor="test", now=NOW)


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
        told = session.scalars(select(Activity.event_type).order_by(Activity.created_at, Activity.id)).all()
        assert told == ["BOT_CREATED", "BACKTEST_QUEUED", "BACKTEST_STARTED", "BACKTEST_COMPLETED"]
        assert len({row.trace_id for row in ledger} | {stored.trace_id, score.trace_id}) == 1


@pytest.mark.usefixtures("es_bars")
def test_metrics_derived_from_raw_rows_are_those_grading_computed(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    (graded,) = grade(tx, store, make_bot(strategy="rsi_reversion")).bots
    assert graded.session_id is not None
    with tx() as session:
        assert from_raw_rows(session, graded.session_id) == graded.metrics


@pytest.mark.usefixtures("es_bars")
def test_deriving_rollup_and_score_again_changes_nothing(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    grade(tx, store, bot_id)

    def standing() -> list[dict[str, object]]:
        with tx() as session:
            rows = [session.scalars(select(MetricsRollup)).one(), session.scalars(select(AutonomyScore)).one()]
            return [{k: v for k, v in row.__dict__.items() if not k.startswith("_")} for row in rows]

    before = standing()
    with tx() as session:
        refresh_rollup(session, bot_id, now=NOW)
        refresh_score(session, bot_id, now=NOW)
    assert standing() == before


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
def test_lineage_leads_from_the_score_to_bars_version_code_and_run(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot(params={"fast": 10, "slow": 50})
    (graded,) = grade(tx, store, bot_id).bots
    with tx() as session:
        chain = lineage_of_score(session, bot_id)
    assert chain.session_id == graded.session_id
    assert chain.params == {"fast": 10, "slow": 50}
    assert chain.run_id == "run-1"
    assert chain.code_version.startswith("0.1.0+src.")
    (month,) = chain.bars
    assert (month.symbol, month.month, month.data_label) == ("ES", MONTH, "SIMULATED")
    assert month.content_hash == chain.bars_hash
    assert chain.score is not None
