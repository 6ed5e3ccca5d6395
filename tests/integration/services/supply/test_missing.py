"""Months that are missing, and whether trying again is worth it."""

from fleet.closed_sets import BacktestKind
from integrations.store import BarsStore
from services.jobs.enqueue import enqueue_job
from services.supply.top_up import Supply
from sql.engine import Transactions
from tests.factories.databases import OwnerSql
from tests.factories.supply import FEBRUARY, JANUARY, MARCH, databento, pack, polygon, pull
from tests.standins.databento import DatabentoStandIn
from tests.standins.faults import Fault
from tests.standins.polygon import PolygonStandIn
from trading.bars.schema import Bars


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
