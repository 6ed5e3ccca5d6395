"""Simulated months never stand in for real ones."""

from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.load import list_months
from services.bars.simulate import simulate_months
from sql.engine import Transactions
from tests.factories.bars import made_bars
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import JANUARY, NOW, Import


def test_real_bars_take_the_place_of_simulated_ones_and_never_the_other_way(
    tx: Transactions, store: BarsStore, import_bars: Import, owner_sql: OwnerSql
) -> None:
    simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW)
    (month,) = import_bars(made_bars(*JANUARY)).months
    assert month.status is MonthStatus.REPLACED
    assert [row.data_label for row in list_months(tx)] == ["IMPORTED"]
    assert owner_sql("SELECT data_label FROM bars_catalogue WHERE superseded_at IS NOT NULL") == [("SIMULATED",)]
    assert simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW) == ()
    assert [row.data_label for row in list_months(tx)] == ["IMPORTED"]
