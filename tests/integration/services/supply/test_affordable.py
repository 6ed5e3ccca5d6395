"""What may be bought: as much as the limit allows, and nothing of unknown cost."""

from decimal import Decimal

from fleet.closed_sets import BacktestKind
from integrations.store import BarsStore
from services.bots.create import NewBot, create_bot
from services.jobs.enqueue import enqueue_job
from services.supply.top_up import Supply
from sql.engine import Transactions
from tests.factories.databases import OwnerSql
from tests.factories.supply import MARCH, NOW, databento, pack, pull
from tests.standins.databento import COST, RANGE, DatabentoStandIn
from tests.standins.faults import Fault
from trading.bars.schema import Bars


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
