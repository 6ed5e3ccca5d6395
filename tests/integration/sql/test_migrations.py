"""The schema in the database is the schema in code: nothing is in one and not in the other."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from core.errors import GantryError
from sql.embedded import RunningState
from sql.engine import connect
from sql.migrate import configuration, current, head, upgrade
from sql.tables import Base

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default, numeric_precision, numeric_scale,
       generation_expression
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


def _schema(url: str) -> dict[str, set[tuple[object, ...]]]:
    with psycopg.connect(url) as connection:
        return {
            name: set(connection.execute(query).fetchall())
            for name, query in (("columns", COLUMNS), ("constraints", CONSTRAINTS), ("indexes", INDEXES))
        }


def test_the_sum_of_the_migrations_is_the_metadata(database: RunningState, empty_database: RunningState) -> None:
    engine = connect(empty_database.owner_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    migrated, declared = _schema(database.owner_url), _schema(empty_database.owner_url)
    for part in migrated:
        assert migrated[part] == declared[part], part  # CHECKs of closed sets are among the constraints


def test_alembic_would_generate_nothing(database: RunningState) -> None:
    engine = connect(database.owner_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_upgrading_again_changes_nothing(database: RunningState) -> None:
    before = _schema(database.owner_url)
    assert upgrade(database.owner_url) == upgrade(database.owner_url) == head()
    assert _schema(database.owner_url) == before


def test_the_revision_reached_is_the_newest_in_code(engine: Engine) -> None:
    with engine.connect() as connection:
        assert current(connection) == head() != ""


def test_two_upgrades_at_once_both_end_well(empty_database: RunningState) -> None:
    with ThreadPoolExecutor(2) as pool:
        reached = list(pool.map(upgrade, [empty_database.owner_url] * 2))
    assert reached == [head()] * 2


def test_no_column_is_of_a_kind_that_older_servers_lack(database: RunningState) -> None:
    with psycopg.connect(database.owner_url) as connection:
        generated = connection.execute("SELECT attname, attgenerated FROM pg_attribute WHERE attgenerated <> ''")
        assert generated.fetchall() == [("net_pnl", "s")]  # stored: 16 and 17 have no virtual ones


def test_dagster_finds_its_schema(database: RunningState) -> None:
    with psycopg.connect(database.owner_url) as connection:
        assert connection.execute("SELECT to_regnamespace('dagster')::text").fetchone() == ("dagster",)


def test_revisions_form_one_line(database: RunningState) -> None:
    revisions = list(ScriptDirectory.from_config(configuration()).walk_revisions())
    assert all(newer.down_revision == older.revision for newer, older in pairwise(revisions))


def test_an_upgrade_that_must_wait_for_a_lock_fails_soon_and_whole(empty_database: RunningState) -> None:
    with psycopg.connect(empty_database.owner_url) as holder:
        holder.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        holder.commit()
        holder.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(GantryError, match="too busy"):
            upgrade(empty_database.owner_url)
    assert _schema(empty_database.owner_url)["columns"] == set()
