"""A fleet that can be graded: one month of simulated ES bars in a store of its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from integrations.store import BarsStore
from services import bars, bots
from services.bots import NewBot
from sql.engine import Transactions

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
MONTH = "2024-01"
MakeBot = Callable[..., UUID]


@pytest.fixture
def store(tmp_path: Path) -> BarsStore:
    return BarsStore(str(tmp_path / "bars"))


@pytest.fixture
def es_bars(tx: Transactions, store: BarsStore) -> None:
    bars.simulate(tx, store, ["ES"], [MONTH], actor="test", now=NOW)


@pytest.fixture
def make_bot(tx: Transactions) -> MakeBot:
    def make(name: str = "one", *, symbol: str = "ES", strategy: str = "sma_cross", **rest: object) -> UUID:
        with tx() as session:
            new = NewBot(name=name, symbol=symbol, strategy=strategy, **rest)  # type: ignore[arg-type]
            return bots.create(session, new, actor="test", now=NOW)

    return make
