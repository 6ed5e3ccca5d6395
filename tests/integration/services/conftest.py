"""A fleet that can be graded: one month of simulated ES bars in a store of its own."""

from pathlib import Path
from uuid import UUID

import pytest

from integrations.store import BarsStore
from services.bars.simulate import simulate_months
from services.bots.create import NewBot, create_bot
from sql.engine import Transactions
from tests.factories import edge_bars
from tests.factories.bars_months import MONTH
from tests.factories.bots import NOW, MakeBot


@pytest.fixture
def store(tmp_path: Path) -> BarsStore:
    return BarsStore(str(tmp_path / "bars"))


@pytest.fixture
def es_bars(tx: Transactions, store: BarsStore) -> None:
    simulate_months(tx, store, ["ES"], [MONTH], actor="test", now=NOW)


@pytest.fixture
def make_bot(tx: Transactions) -> MakeBot:
    def make(name: str = "one", *, symbol: str = "ES", strategy: str = "sma_cross", **rest: object) -> UUID:
        with tx() as session:
            new = NewBot(name=name, symbol=symbol, strategy=strategy, **rest)  # type: ignore[arg-type]
            return create_bot(session, new, actor="test", now=NOW)

    return make


@pytest.fixture
def edge(tx: Transactions, store: BarsStore) -> None:
    """A month of ES bars with an edge."""
    edge_bars.put_in_use(tx, store, edge_bars.swinging(), now=NOW)


@pytest.fixture
def noise(tx: Transactions, store: BarsStore) -> None:
    """A month of ES bars without any."""
    edge_bars.put_in_use(tx, store, edge_bars.noise(), now=NOW)


@pytest.fixture
def far_off(make_bot: MakeBot) -> UUID:
    """A bot whose parameters are far from what pays on bars with an edge."""
    return make_bot("far off", strategy="bollinger_reversion", params={"period": 600})
