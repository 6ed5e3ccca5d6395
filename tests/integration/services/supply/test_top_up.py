"""What bots wait for is fetched as far as it may be, and what is missing is never graded around in silence."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.errors import ErrorCode
from fleet.closed_sets import BacktestKind
from integrations.store import BarsStore
from services.bots.create import NewBot, create_bot
from services.jobs.enqueue import enqueue_job
from services.starter.pack import create_starter_pack
from services.supply.fetch import Fetcher, FetchStatus
from services.supply.staging import stage
from services.supply.top_up import Supply
from sql.engine import Transactions
from sql.month_lock import if_nobody_else
from tests.conftest import OwnerSql
from tests.integration.services.supply.test_fetch import NOW, bars_of, databento, polygon, pull
from tests.standins.databento import COST, RANGE, DatabentoStandIn
from tests.standins.faults import Fault
from tests.standins.polygon import PolygonStandIn
from trading.bars.schema import NS_PER_SECOND, Bars

JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"


@pytest.fixture(scope="module")
def es() -> Bars:
    return bars_of("ES", JANUARY, FEBRUARY, MARCH)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> BarsStore:
    return BarsStore(str(tmp_path_factory.mktemp("bars")))


def pack(tx: Transactions, symbols: tuple[str, ...] = ("ES",), count: int = 1) -> None:
    with tx() as session:
        create_starter_pack(session, symbols=symbols, count=count, actor="test", now=NOW, max_attempts=1)


def until(bars: Bars, moment: datetime) -> Bars:
    return bars.take(slice(0, int((bars.ts < int(moment.timestamp()) * NS_PER_SECOND).sum())))


def test_a_month_the_vendor_had_a_part_of_is_fetched_again_once_it_has_the_rest(
    tx: Transactions, store: BarsStore, es: Bars
) -> None:
    early, later = datetime(2024, 3, 20, tzinfo=UTC), datetime(2024, 4, 2, tzinfo=UTC)
    with DatabentoStandIn({"ES": until(es, early)}) as vendor:
        vendor.available_end = early.isoformat()
        [part] = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: early).fetch([("ES", MARCH)])
        assert part.status is FetchStatus.FETCHED
    with DatabentoStandIn({"ES": es}) as vendor:
        again = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: later)
        [whole] = again.fetch([("ES", MARCH)])
        assert whole.status is FetchStatus.FETCHED
        assert (whole.bars_count or 0) > (part.bars_count or 0)
        assert again.fetch([("ES", MARCH)])[0].status is FetchStatus.ALREADY_THERE


def test_a_hole_that_may_pass_fails_the_job_instead_of_being_graded_around(
    tx: Transactions, store: BarsStore, es: Bars, owner_sql: OwnerSql
) -> None:
    with DatabentoStandIn({"ES": es}) as vendor:
        vendor.script(Fault.SERVER_ERROR, times=None, when=lambda call: call.month == FEBRUARY)
        pack(tx)
        pull(tx, store, Supply([databento(tx, vendor)], history_months=3))
    assert owner_sql("SELECT status, error_code FROM bot_jobs") == [("FAILED", "PROVIDER_BAD_RESPONSE")]
    assert owner_sql("SELECT month FROM bars_catalogue ORDER BY month") == [(JANUARY,), (MARCH,)]


def test_what_one_provider_refuses_for_good_doesnt_hide_that_the_other_may_be_back(
    tx: Transactions, store: BarsStore, es: Bars, owner_sql: OwnerSql
) -> None:
    with DatabentoStandIn({"ES": es}) as first, PolygonStandIn({"ES": es}) as second:
        first.script(Fault.SERVER_ERROR, times=None)
        second.script(Fault.FORBIDDEN, times=None)
        supply = Supply([databento(tx, first), polygon(tx, second)], history_months=1)
        pack(tx)
        pull(tx, store, supply)
        assert owner_sql("SELECT error_code FROM bot_jobs") == [("PROVIDER_BAD_RESPONSE",)]
        first.heal()
        owner_sql("ALTER TABLE bars_fetches DISABLE TRIGGER insert_only")
        owner_sql("UPDATE bars_fetches SET created_at = created_at - interval '6 seconds'")
        [(bot_id,)] = owner_sql("SELECT id FROM bots")
        with tx() as session:
            enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")
        pull(tx, store, supply)
    assert owner_sql("SELECT DISTINCT data_label FROM backtest_sessions WHERE status = 'COMPLETED'") == [("VENDOR",)]


def test_nothing_is_bought_while_nobody_says_what_it_costs(
    tx: Transactions, store: BarsStore, es: Bars, owner_sql: OwnerSql
) -> None:
    with DatabentoStandIn({"ES": es}) as vendor:
        vendor.script(Fault.SERVER_ERROR, times=None, when=lambda call: call.action == COST)
        pack(tx)
        pull(tx, store, Supply([databento(tx, vendor)], history_months=12))
        assert vendor.called(RANGE) == []
    assert owner_sql("SELECT DISTINCT error_code FROM bars_fetches") == [("PROVIDER_BAD_RESPONSE",)]


def test_a_bot_whose_window_is_too_dear_doesnt_keep_another_from_its_month(
    tx: Transactions, store: BarsStore, es: Bars, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        for name, start in (("wide", "2023-01"), ("narrow", MARCH)):
            new = NewBot(name=name, symbol="ES", strategy="sma_cross", window_start=start, window_end=MARCH)
            bot_id = create_bot(session, new, actor="test", now=NOW)
            enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test", max_attempts=1)
    with DatabentoStandIn({"ES": es}) as vendor:
        one_month = databento(tx, vendor).quote("ES", [MARCH]).cost_usd
        assert one_month is not None
        limit = one_month * Decimal("1.5")
        pull(tx, store, Supply([databento(tx, vendor)], max_cost_usd=limit))
        assert [call.month for call in vendor.called(RANGE)] == [MARCH]
    ended = owner_sql("SELECT status FROM bots JOIN bot_jobs ON bot_id = bots.id WHERE name = 'narrow'")
    assert ended == [("COMPLETED",)]


def test_jobs_of_another_symbol_go_on_while_somebody_fetches_for_one(
    tx: Transactions, store: BarsStore, es: Bars, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        engine = session.get_bind().engine
    with DatabentoStandIn({"ES": es, "GC": bars_of("GC", MARCH)}) as vendor:
        pack(tx, ("ES", "GC"), 4)
        with if_nobody_else(engine, "ES") as mine:
            assert mine
            pull(tx, store, Supply([databento(tx, vendor)], history_months=1))
            done = owner_sql("SELECT symbol FROM bots JOIN bot_jobs ON bot_id = bots.id WHERE status <> 'QUEUED'")
            assert set(done) == {("GC",)}
        pull(tx, store, Supply([databento(tx, vendor)], history_months=1))
    assert owner_sql("SELECT DISTINCT status FROM bot_jobs") == [("COMPLETED",)]


@pytest.mark.parametrize("damage", [lambda kept: kept[:-200], lambda kept: b"?" + kept[1:], lambda _kept: b""])
def test_a_damaged_file_of_a_month_that_arrived_is_fetched_anew(
    tx: Transactions, store: BarsStore, es: Bars, damage: Callable[[bytes], bytes]
) -> None:
    with DatabentoStandIn({"ES": es}) as vendor:
        source = databento(tx, vendor)
        stage(store, source.fetch_month("ES", MARCH, now=NOW))
        name = f"databento.ES.{MARCH}.npz"
        kept = store.incoming(name)
        assert kept is not None
        store.keep_incoming(name, damage(kept))
        [report] = Fetcher(tx, store, [source], "test", lambda: NOW).fetch([("ES", MARCH)])
    assert report.status is FetchStatus.FETCHED
    assert store.incoming(name) is None


def test_who_stops_a_fetch_buys_nothing_more(tx: Transactions, store: BarsStore, es: Bars) -> None:
    months = [("ES", f"{year}-{month:02d}") for year in (2022, 2023) for month in range(1, 13)]
    with DatabentoStandIn({"ES": es}) as vendor:
        asked = threading.Event()

        def stop(_what: str, _done: int, _total: int) -> None:
            asked.set()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW).fetch(months, stop)
        assert asked.is_set()
        assert len({call.month for call in vendor.calls if call.month}) < len(months)


def test_a_narrower_askers_failure_is_its_own(tx: Transactions, store: BarsStore, es: Bars) -> None:
    with DatabentoStandIn({"ES": es}) as first, PolygonStandIn({"ES": es}) as second:
        second.script(Fault.FORBIDDEN, times=None)
        narrow = Fetcher(tx, store, [polygon(tx, second)], "test", lambda: NOW)
        wide = Fetcher(tx, store, [databento(tx, first), polygon(tx, second)], "test", lambda: NOW)
        with ThreadPoolExecutor(2) as pool:
            refused, served = pool.map(lambda one: one.fetch([("ES", MARCH)])[0], (narrow, wide))
    assert served.status is FetchStatus.FETCHED or served.status is FetchStatus.ALREADY_THERE
    assert refused.error is None or refused.error.code is ErrorCode.PROVIDER_ENTITLEMENT
