"""The application on a test's own database."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from api.app import create_app
from core.settings import Settings
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.bars.simulate import simulate_months
from sql.embedded import RunningState
from sql.engine import Transactions, connect, transactions
from tests.factories.api import Api, calling, create
from tests.factories.bots import NOW


@pytest.fixture
def api(tx: Transactions) -> Iterator[Api]:
    with calling(create_app(settings=Settings(), tx=tx)) as client:
        yield client


@pytest.fixture
def database_url(database: RunningState) -> str:
    return database.app_url


@pytest.fixture
def unreachable() -> Iterator[Api]:
    """The application without a database: what is refused here is refused before any database is used."""
    tx = transactions(connect("postgresql://nobody@127.0.0.1:1/none"))
    with calling(create_app(settings=Settings(), tx=tx)) as client:
        yield client


@pytest.fixture
def graded(api: Api, tx: Transactions, tmp_path: Path) -> str:
    store = BarsStore(str(tmp_path))
    simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW)
    bot_id = create(api)["id"]
    grade_bots(tx, store, [UUID(bot_id)], run_id="run-1", actor="test", now=NOW)
    return str(bot_id)
