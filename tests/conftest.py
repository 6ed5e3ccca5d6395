"""Fixtures every test may use: a real Postgres for the run, a fresh migrated database for each test that commits."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from sql.embedded import EmbeddedPostgres, RunningState
from sql.engine import Transactions, connect, transactions
from sql.migrate import upgrade

_numbers = count(1)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningState]:
    """A running, migrated embedded Postgres; its database `gantry` is the template of all others."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as state:
        upgrade(state.owner_url)
        yield state


@pytest.fixture
def database(cluster: RunningState) -> Iterator[RunningState]:
    """A fresh database of its own for one test, cloned from the migrated template."""
    name = f"test_{next(_numbers)}"
    superuser = _superuser_url(cluster)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE gantry OWNER gantry_owner".encode())
    urls = (make_url(url).set(database=name).render_as_string(hide_password=False) for url in _urls(cluster))
    yield RunningState(cluster.pid, cluster.port, *urls)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def engine(database: RunningState) -> Iterator[Engine]:
    """The application's engine on the test's own database."""
    made = connect(database.app_url)
    yield made
    made.dispose()


@pytest.fixture
def tx(engine: Engine) -> Transactions:
    """Transactions of the application's role."""
    return transactions(engine)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A database session that is rolled back at the end."""
    with engine.connect() as connection, connection.begin() as outer:
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as made:
            yield made
        outer.rollback()


def _urls(state: RunningState) -> tuple[str, str]:
    return state.owner_url, state.app_url


def _superuser_url(state: RunningState) -> str:
    folder = Path(f"/proc/{state.pid}/cwd").resolve().parent
    password = (folder / "superuser.password").read_text()
    return f"postgresql://postgres:{password}@127.0.0.1:{state.port}/postgres"
