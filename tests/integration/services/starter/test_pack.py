"""The starter pack: what is missing is added, once, in a fixed number of statements."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import BacktestKind, MetricsScope
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.bars.simulate import simulate_months
from services.jobs.enqueue import enqueue_job
from services.proof.invariants import check_invariants
from services.resets.reset import ResetRequest, reset_metrics
from services.starter.pack import StarterPack, create_starter_pack, whole_pack
from sql.engine import Transactions
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from sql.tables.events import Activity
from sql.tables.jobs import BotJob, JobRunEvent
from tests.factories.bars_months import MONTH
from tests.factories.bots import NOW, MakeBot
from tests.factories.statements import statements


def ask(tx: Transactions, *symbols: str, count: int | None = None) -> StarterPack:
    with tx() as session:
        return create_starter_pack(session, symbols=symbols or None, count=count, actor="test", now=NOW, max_attempts=3)


def keys(tx: Transactions) -> list[str]:
    with tx() as session:
        return [key for key in session.scalars(select(Bot.starter_key).order_by(Bot.created_at, Bot.id)) if key]


def test_twenty_bots_are_made_whole_each_with_a_baseline_queued(tx: Transactions) -> None:
    pack = ask(tx)
    assert (len(pack.bots), len(pack.jobs), pack.made_bots, pack.made_jobs) == (20, 20, 20, 20)
    with tx() as session:
        made = session.scalars(select(Bot)).all()
        assert {(bot.stage, bot.promotion_mode, bot.timeframe) for bot in made} == {("LAB", "MANUAL", "1m")}
        assert {bot.symbol for bot in made} == {"ES", "NQ", "CL", "GC", "6E"}
        rows = {table: session.scalar(select(func.count()).select_from(table)) for table in (BotVersion, BotBoundary)}
        assert rows == {BotVersion: 20, BotBoundary: 100}
        assert session.scalar(select(func.count()).select_from(BotStageEvent)) == 20
        queued = session.scalars(select(BotJob)).all()
        assert {(job.kind, job.status, job.iteration, job.max_attempts) for job in queued} == {
            ("BASELINE", "QUEUED", 1, 3)
        }
        ledger = session.scalars(select(JobRunEvent)).all()
        assert {(row.from_status, row.to_status, row.reason_code) for row in ledger} == {(None, "QUEUED", "REQUESTED")}
        assert {row.job_id for row in ledger} == set(pack.jobs)
        reported = dict(session.execute(select(Activity.event_type, func.count()).group_by(Activity.event_type)).all())
        assert reported == {"STARTER_PACK_CREATED": 1, "BOT_CREATED": 20, "BACKTEST_QUEUED": 20}
        assert check_invariants(session) == ()


def test_asking_again_adds_nothing_and_tells_nothing(tx: Transactions) -> None:
    first = ask(tx)
    again = ask(tx)
    assert (again.bots, again.jobs) == (first.bots, first.jobs)
    assert (again.made_bots, again.made_jobs, again.is_new) == (0, 0, False)
    with tx() as session:
        assert session.scalar(select(func.count()).select_from(Activity)) == 41


def test_more_are_added_behind_those_that_are_there(tx: Transactions) -> None:
    few = ask(tx, count=5)
    more = ask(tx, count=12)
    assert more.bots[:5] == few.bots
    assert (more.made_bots, more.made_jobs) == (7, 7)
    assert keys(tx)[:2] == ["ES/sma_cross/1", "NQ/rsi_reversion/1"]
    assert ask(tx, count=3).bots == few.bots[:3]


def test_symbols_that_have_bars_are_taken_and_bars_that_come_later_change_no_pack(
    tx: Transactions, store: BarsStore
) -> None:
    simulate_months(tx, store, ["6E", "ES"], [MONTH], actor="test", now=NOW)
    first = ask(tx, count=4)
    assert [key.split("/")[0] for key in keys(tx)] == ["ES", "6E", "ES", "6E"]
    simulate_months(tx, store, ["YM"], [MONTH], actor="test", now=NOW)
    assert ask(tx, count=4).bots == first.bots


def test_symbols_that_are_named_have_a_pack_of_their_own(tx: Transactions) -> None:
    ask(tx, "ES", count=6)
    euro = ask(tx, "6E", "6E", count=6)
    assert euro.made_bots == 6
    assert {key.split("/")[0] for key in keys(tx)[6:]} == {"6E"}


def test_an_archived_bots_place_is_filled_anew(tx: Transactions) -> None:
    first = ask(tx, "ES", count=3)
    with tx() as session:
        session.execute(
            text("UPDATE bot_jobs SET status = 'CANCELED', completed_at = now() WHERE bot_id = :id"),
            {"id": first.bots[1]},
        )
        session.execute(text("UPDATE bots SET archived_at = now() WHERE id = :id"), {"id": first.bots[1]})
    again = ask(tx, "ES", count=3)
    assert (again.made_bots, again.made_jobs) == (1, 1)
    assert set(again.bots) & set(first.bots) == {first.bots[0], first.bots[2]}
    assert keys(tx)[1] == keys(tx)[3]


def test_a_name_that_a_bot_has_already_is_numbered(tx: Transactions, make_bot: MakeBot) -> None:
    make_bot("ES sma_cross 1")
    make_bot("ES sma_cross 1 (2)")
    (bot_id,) = ask(tx, "ES", count=1).bots
    with tx() as session:
        assert session.get_one(Bot, bot_id).name == "ES sma_cross 1 (3)"


@pytest.mark.usefixtures("es_bars")
def test_a_completed_baseline_is_not_asked_for_again_until_the_epoch_changes(
    tx: Transactions, store: BarsStore
) -> None:
    pack = ask(tx, "ES", count=2)
    report = grade_bots(tx, store, pack.bots, run_id=None, actor="test", now=NOW)
    assert {bot.status for bot in report.bots} == {"COMPLETED"}
    again = ask(tx, "ES", count=2)
    assert (again.jobs, again.is_new) == (pack.jobs, False)
    with tx() as session:
        asked = ResetRequest(MetricsScope.BACKTEST_ONLY, (pack.bots[0],), "TEST")
        reset_metrics(session, asked, dry_run=False, actor="test", now=NOW)
    fresh = ask(tx, "ES", count=2)
    assert (fresh.made_bots, fresh.made_jobs) == (0, 1)
    with tx() as session:
        (job,) = [job for job in whole_pack(session, fresh, now=NOW).jobs if job.id not in pack.jobs]
        assert (job.bot_id, job.kind, job.iteration) == (pack.bots[0], "BASELINE", 2)
        assert check_invariants(session) == ()


def test_a_bot_that_is_busy_is_left_to_its_job(tx: Transactions) -> None:
    (bot_id,) = ask(tx, "ES", count=1).bots
    with tx() as session:
        session.execute(text("UPDATE bot_jobs SET status = 'CANCELED', completed_at = now()"))
        job_id = enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")
    again = ask(tx, "ES", count=1)
    assert (again.jobs, again.made_jobs) == ((job_id,), 0)


def test_calls_at_once_make_one_pack(tx: Transactions) -> None:
    with ThreadPoolExecutor(8) as pool:
        packs = list(pool.map(lambda _: ask(tx, count=10), range(8)))
    assert sum(pack.made_bots for pack in packs) == sum(pack.made_jobs for pack in packs) == 10
    assert len({pack.bots for pack in packs}) == 1


@pytest.mark.parametrize(
    ("symbols", "count", "field"),
    [((), 1, "symbols"), (("XX",), 1, "symbol"), (None, 0, "count"), (None, 1001, "count")],
)
def test_what_can_not_be_is_refused(tx: Transactions, symbols: tuple[str, ...] | None, count: int, field: str) -> None:
    with tx() as session, pytest.raises(GantryError) as refused:
        create_starter_pack(session, symbols=symbols, count=count, actor="test", now=NOW, max_attempts=3)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert refused.value.details[0].field == field


def test_a_thousand_bots_take_as_many_statements_as_one_and_little_time(tx: Transactions, engine: Engine) -> None:
    with statements(engine) as one:
        ask(tx, "NQ", count=1)
    began = time.perf_counter()
    with statements(engine) as thousand:
        pack = ask(tx, "ES", count=1_000)
    assert pack.made_bots == pack.made_jobs == len(set[UUID](pack.bots)) == 1_000
    assert len(thousand) == len(one) <= 20
    assert time.perf_counter() - began < 20
