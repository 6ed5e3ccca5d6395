"""The application on a test's own database."""

from collections.abc import Iterator

import pytest

from api.app import create_app
from core.settings import Settings
from sql.embedded import RunningState
from sql.engine import Transactions, connect, transactions
from tests.factories.api import Api, calling


@pytest.fixture
def api(tx: Transactions) -> Iterator[Api]:
    with calling(create_app(settings=Settings(), tx=tx)) as client:
        yield client


@pytest.fixture
def database_url(database: RunningState) -> str:
    return database.app_url


@pytest.fixture
def unreachable() -> Iterator[Api]:
    """The application without a database: whatever is refused here was refused before one was asked."""
    tx = transactions(connect("postgresql://nobody@127.0.0.1:1/none"))
    with calling(create_app(settings=Settings(), tx=tx)) as client:
        yield client
