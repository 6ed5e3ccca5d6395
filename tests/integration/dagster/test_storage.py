"""Dagster's own storage keeps its connections: an idle fleet doesn't open dozens a second."""

from pathlib import Path

from dagster import DagsterInstance
from dagster_postgres.storage import DagsterPostgresStorage

from orchestration.dagster_private import ENGINE, parts_of
from tests.factories.databases import OwnerSql

OPENED = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
CLOSE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def ask(instance: DagsterInstance) -> None:
    """Ask each of the three parts something."""
    assert instance.get_runs(limit=1) == []
    assert list(instance.all_asset_keys()) == []
    assert list(instance.all_instigator_state()) == []


def opened(owner_sql: OwnerSql) -> int:
    [(count,)] = owner_sql(OPENED)
    return int(count)


def test_instances_of_one_process_share_their_connections(dagster_home: Path, owner_sql: OwnerSql) -> None:
    with DagsterInstance.from_config(str(dagster_home)) as first:
        ask(first)
    before = opened(owner_sql)
    for _tick in range(20):
        with DagsterInstance.from_config(str(dagster_home)) as instance:
            ask(instance)
    assert opened(owner_sql) == before


def test_a_connection_that_postgres_closed_is_replaced_before_it_is_used(
    instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    ask(instance)
    assert owner_sql(CLOSE), "it kept one"
    ask(instance)


def test_each_part_of_dagster_s_own_storage_keeps_its_engine_where_the_pool_is_put(dagster_url: str) -> None:
    storage = DagsterPostgresStorage(dagster_url, should_autocreate_tables=False)
    missing = [type(part).__name__ for part in parts_of(storage) if ENGINE not in vars(part)]
    assert missing == [], "Dagster renamed it: change share_pool"
