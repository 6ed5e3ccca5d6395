"""What bots wait for is fetched as far as it may be, and what is missing is never graded around in silence."""

from decimal import Decimal

from fleet.closed_sets import BacktestKind
from integrations.store import BarsStore
from services.jobs.enqueue import enqueue_job
from services.proof.invariants import check_invariants
from services.starter.pack import create_starter_pack
from services.supply.top_up import Supply
from sql.engine import Transactions
from sql.month_lock import if_nobody_else
from tests.factories.databases import OwnerSql
from tests.factories.supply import MARCH, MONTHS, NOW, bars_of, databento, pack, pull, usage
from tests.standins.databento import RANGE, DatabentoStandIn
from tests.standins.faults import Fault
from trading.bars.schema import Bars


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


def test_a_starter_pack_is_graded_on_bars_fetched_for_it_and_a_second_round_fetches_nothing(
    tx: Transactions, store: BarsStore, vendor: DatabentoStandIn, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        pack = create_starter_pack(session, symbols=["ES"], count=6, actor="test", now=NOW, max_attempts=3)
    supply = Supply([databento(tx, vendor)], history_months=3)

    assert pull(tx, store, supply).jobs_done == 6

    assert owner_sql("SELECT DISTINCT status, data_label FROM backtest_sessions") == [("COMPLETED", "VENDOR")]
    served = owner_sql("SELECT DISTINCT metadata->'bot_ids' FROM integration_usage_events")
    assert served == [(sorted(str(bot_id) for bot_id in pack.bots),)]
    calls = len(vendor.calls)
    assert len(usage(owner_sql)) == calls
    with tx() as session:
        enqueue_job(session, pack.bots[0], kind=BacktestKind.MANUAL, actor="test")
    assert pull(tx, store, supply).jobs_done == 1
    assert len(vendor.calls) == calls
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()


def test_bots_without_bars_fail_with_what_the_provider_failed_with_and_are_tried_again(
    tx: Transactions, store: BarsStore, vendor: DatabentoStandIn, owner_sql: OwnerSql
) -> None:
    vendor.script(Fault.SERVER_ERROR, times=None)
    with tx() as session:
        create_starter_pack(session, symbols=["ES"], count=2, actor="test", now=NOW, max_attempts=3)
    supply = Supply([databento(tx, vendor)], history_months=1)
    pull(tx, store, supply)
    failed = owner_sql("SELECT DISTINCT error_code FROM bot_jobs WHERE status = 'FAILED'")
    assert failed == [("PROVIDER_BAD_RESPONSE",)]
    queued = owner_sql("SELECT attempt > 1 FROM bot_jobs WHERE status = 'QUEUED'")
    assert queued == [(True,), (True,)]


def test_a_fetch_that_costs_more_than_may_be_spent_waits_for_a_person(
    tx: Transactions, store: BarsStore, vendor: DatabentoStandIn, owner_sql: OwnerSql
) -> None:
    vendor.usd_per_gib = 1_000_000
    with tx() as session:
        create_starter_pack(session, symbols=["ES"], count=1, actor="test", now=NOW, max_attempts=3)
    supply = Supply([databento(tx, vendor)], history_months=12)
    pull(tx, store, supply)
    assert vendor.called(RANGE) == []
    assert owner_sql("SELECT status, error_code FROM bot_jobs") == [("FAILED", "DATA_UNAVAILABLE")]
    [(message,)] = owner_sql("SELECT error_message FROM bot_jobs")
    assert "25.00 USD" in message
    higher = Supply([databento(tx, vendor)], history_months=12, max_cost_usd=Decimal(10**9))
    with tx() as session:
        [bot_id] = [row[0] for row in owner_sql("SELECT id FROM bots")]
        enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")
    pull(tx, store, higher)
    assert len(vendor.called(RANGE)) == len(MONTHS)
