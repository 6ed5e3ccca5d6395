"""Fixtures every test may use: a real Postgres for the run, a fresh migrated database for each test that commits."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from sql.embedded import EmbeddedPostgres, RunningState
from sql.embedded_folder import password
from sql.engine import Transactions, connect, transactions
from sql.migrate import upgrade
from tests.factories.databases import HURRIED, MEMORY, OwnerSql, fresh, in_memory
from tests.factories.running import Running
from tests.factories.scheduling import BySharedStart, in_order


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' folders in memory where there is room.

    A Gantry's Postgres waits for the disk at every commit, and every test's database is hundreds of files, made and
    removed at once: ext4 passes over each inode that was removed within the last minute when it makes the next.
    """
    if config.option.basetemp is None and in_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySharedStart:
    """Give the run's processes their tests."""
    return BySharedStart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests on the shared Gantry first, in their order."""
    items[:] = in_order(items)


@pytest.fixture(scope="session")
def whole_gantry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A whole Gantry, started once for the tests that share it."""
    made = Running.in_folder(tmp_path_factory.mktemp("gantry"))
    try:
        output = made.up()
        assert f"http://localhost:{made.api_port}" in output
        assert "SIMULATED" in output
        yield made
    finally:
        made.gantry("down")
    assert made.living() == ()


@pytest.fixture(scope="session")
def cluster_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run's Postgres (one for each xdist worker)."""
    return tmp_path_factory.mktemp("postgres")


@pytest.fixture(scope="session")
def cluster(cluster_folder: Path) -> Iterator[RunningState]:
    """A running, migrated embedded Postgres; its database `gantry` is the template of all others."""
    with EmbeddedPostgres(cluster_folder, settings=HURRIED) as state:
        upgrade(state.owner_url)
        yield state


@pytest.fixture(scope="session")
def superuser(cluster: RunningState, cluster_folder: Path) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """The superuser's connection, in autocommit, to the cluster's database `postgres`."""
    secret = password(cluster_folder, "superuser")
    url = f"postgresql://postgres:{secret}@127.0.0.1:{cluster.port}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def database(cluster: RunningState, superuser: psycopg.Connection[tuple[Any, ...]]) -> Iterator[RunningState]:
    """A fresh database of its own for one test, cloned from the migrated template."""
    yield from fresh(cluster, superuser, template="gantry")


@pytest.fixture
def empty_database(cluster: RunningState, superuser: psycopg.Connection[tuple[Any, ...]]) -> Iterator[RunningState]:
    """A database of its own without any table."""
    yield from fresh(cluster, superuser, template="template1")


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


@pytest.fixture(scope="session")
def shared_engine(cluster: RunningState, superuser: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Engine]:
    """The application's engine on a database in which nobody commits."""
    for state in fresh(cluster, superuser, template="gantry"):
        made = connect(state.app_url)
        yield made
        made.dispose()


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A database session that is rolled back at the end; on the test's own database where it has one."""
    engine: Engine = request.getfixturevalue("engine" if "database" in request.fixturenames else "shared_engine")
    with engine.connect() as connection, connection.begin() as outer:
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as made:
            yield made
        outer.rollback()


@pytest.fixture
def owner_sql(database: RunningState) -> Iterator[OwnerSql]:
    """`owner_sql(statement, *parameters)`: run SQL as the owner, committed at once, and return the rows if any."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:

        def run(statement: str, *parameters: object) -> Sequence[tuple[Any, ...]]:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else ()

        yield run
