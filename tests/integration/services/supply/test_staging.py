"""A month that arrived is kept until it is in use, and read back whole or not at all."""

from collections.abc import Callable

import pytest

from integrations.store import BarsStore
from services.supply.fetch import Fetcher, FetchStatus
from services.supply.staging import stage
from sql.engine import Transactions
from tests.factories.supply import MARCH, NOW, databento
from tests.standins.databento import DatabentoStandIn
from trading.bars.schema import Bars


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
