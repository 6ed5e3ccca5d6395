"""A vendor's stand-in that has three months of ES, and who fetches from it."""

from collections.abc import Iterator

import pytest

from integrations.store import BarsStore
from services.supply.fetch import Fetcher
from sql.engine import Transactions
from tests.factories.supply import MONTHS, NOW, bars_of, databento
from tests.standins.databento import DatabentoStandIn
from trading.bars.schema import Bars


@pytest.fixture(scope="session")
def es() -> Bars:
    return bars_of("ES", *MONTHS)


@pytest.fixture
def vendor(es: Bars) -> Iterator[DatabentoStandIn]:
    with DatabentoStandIn({"ES": es}) as found:
        yield found


@pytest.fixture
def fetcher(tx: Transactions, store: BarsStore, vendor: DatabentoStandIn) -> Fetcher:
    return Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW)
