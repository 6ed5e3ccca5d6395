"""The fleet as the planner sees it: every bot as it stands, in a fixed number of statements."""

from uuid import UUID

import pytest
from sqlalchemy import Engine

from fleet.closed_sets import JobStatus, JobType
from fleet.jobs import JobReason
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import BarsState, BotSnapshot, FleetSnapshot
from integrations.store import BarsStore
from services.backtests.compute import load_material
from services.bots.change import BotChange, archive_bot, change_bot
from services.jobs.plan import BarsKey
from services.planner.snapshot import read_fleet
from sql.engine import Transactions
from sql.queries import clock
from tests.factories.bots import NOW, MakeBot
from tests.factories.claims import claim, queue
from tests.factories.databases import OwnerSql
from tests.factories.graded import grade
from tests.factories.improvements import queue_improvement, take
from tests.factories.promotions import a_good_backtest
from tests.factories.resets import reset
from tests.factories.statements import count_statements
from trading.improve.folds import sessions_of


def seen(tx: Transactions, *, can: bool = True, development: bool = False) -> FleetSnapshot:
    with tx() as session:
        now = clock.database_time(session)
        return read_fleet(session, Suppliers("s", can=can), now, evolve_after=3, development=development)


def bot_of(fleet: FleetSnapshot, bot_id: UUID) -> BotSnapshot:
    return next(bot for bot in fleet.bots if bot.id == bot_id)


def test_a_bot_that_was_never_graded_has_nothing_behind_it(tx: Transactions, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    bot = bot_of(seen(tx), bot_id)
    assert (bot.symbol, bot.stage, bot.archived, bot.promotion_due) == ("ES", "LAB", False, False)
    assert (bot.active, bot.baseline, bot.ended_backtest, bot.ended_improvement, bot.improvement) == (None,) * 5
    assert (bot.bars, bot_of(seen(tx, can=False), bot.id).bars) == (BarsState.AVAILABLE, BarsState.UNAVAILABLE)


def test_what_runs_is_counted_by_type_and_by_symbol(tx: Transactions, make_bot: MakeBot) -> None:
    graded, improved, waiting = make_bot("graded"), make_bot("improved", symbol="CL"), make_bot("waiting")
    queue(tx, graded)
    claim(tx)
    queue_improvement(tx, improved)
    take(tx)
    queue(tx, waiting)
    fleet = seen(tx)
    assert fleet.running_by_type == {JobType.BACKTEST: 1, JobType.IMPROVE: 1}
    assert fleet.running_by_symbol == {"ES": 1, "CL": 1}
    active = bot_of(fleet, waiting).active
    assert active is not None
    assert (active.job_type, active.status) == (JobType.BACKTEST, JobStatus.QUEUED)


@pytest.mark.usefixtures("es_bars")
def test_a_baseline_is_one_of_the_present_version_and_epoch(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    changed, begun_anew, kept = (make_bot(name) for name in ("changed", "reset", "kept"))
    grade(tx, store, changed, begun_anew, kept)
    with tx() as session:
        change_bot(session, changed, BotChange(params={"fast": 7}), revisions=None, actor="test", now=NOW)
    reset(tx, begun_anew)
    fleet = seen(tx)
    assert [bot_of(fleet, bot_id).baseline for bot_id in (changed, begun_anew)] == [None, None]
    baseline = bot_of(fleet, kept).baseline
    assert baseline is not None
    assert owner_sql("SELECT id FROM backtest_sessions WHERE bot_id = %s", kept) == [(baseline.session_id,)]
    assert bot_of(fleet, begun_anew).epoch == 1


def test_how_the_last_backtest_failed_is_read_and_an_unknown_code_counts_as_a_run_that_broke(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bot_id = make_bot()
    assert grade(tx, store, bot_id).failed
    ended = bot_of(seen(tx), bot_id).ended_backtest
    assert ended is not None
    assert (ended.status, ended.reason) == (JobStatus.FAILED, JobReason.DATA_UNAVAILABLE)
    owner_sql("ALTER TABLE bot_jobs DISABLE TRIGGER USER")
    owner_sql("UPDATE bot_jobs SET error_code = 'OF_ANOTHER_VERSION'")
    ended = bot_of(seen(tx), bot_id).ended_backtest
    assert ended is not None
    assert ended.reason is JobReason.RUN_FAILED


def test_a_bot_that_meets_the_gates_is_due_for_promotion(tx: Transactions, make_bot: MakeBot) -> None:
    good, other = make_bot("good"), make_bot("other")
    a_good_backtest(tx, good, now=NOW)
    fleet = seen(tx)
    assert [bot_of(fleet, bot_id).promotion_due for bot_id in (good, other)] == [True, False]


def test_archived_bots_are_there_and_a_bot_that_can_not_be_read_holds_nobody_up(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    gone, odd, well = (make_bot(name) for name in ("gone", "odd", "well"))
    with tx() as session:
        archive_bot(session, gone, actor="test", now=NOW)
    owner_sql("ALTER TABLE bots DISABLE TRIGGER USER")
    owner_sql("ALTER TABLE bots DROP CONSTRAINT ck_bots_promotion_mode_known")
    owner_sql("UPDATE bots SET promotion_mode = 'SOMETIMES' WHERE id = %s", odd)
    fleet = seen(tx)
    assert {bot.id for bot in fleet.bots} == {gone, well}
    assert bot_of(fleet, gone).archived


def test_a_fleet_of_many_is_read_in_as_many_statements_as_one_bot(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    make_bot()
    one = count_statements(engine, lambda: seen(tx))
    queue(tx, *(make_bot(f"bot {number}") for number in range(20)))
    assert count_statements(engine, lambda: seen(tx)) == one


@pytest.mark.usefixtures("es_bars")
def test_the_sessions_that_a_bot_s_bars_have_are_those_that_an_improvement_lays_out(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    counted = bot_of(seen(tx), bot_id).bars_sessions
    laid_out = len(sessions_of(load_material(tx, store, BarsKey("ES", "1m", None, None)).windows))
    assert counted == 22
    assert laid_out - counted == 1, "the evening that ends the month is a session only once the next month is there"
