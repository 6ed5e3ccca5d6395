"""Connections: how they are set, how long one is waited for, and what a lost database looks like."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.errors import ErrorCode, GantryError, Kind
from core.settings import Settings
from sql.embedded import RunningState
from sql.engine import Transactions, check_server, connect, database_urls, transactions, translate
from tests.factories.databases import OwnerSql


def test_a_connection_speaks_utc_and_gives_up_in_time(tx: Transactions) -> None:
    with tx() as session:
        shown = {name: session.scalar(text(f"SHOW {name}")) for name in ("timezone", "statement_timeout")}
        lock = session.scalar(text("SHOW lock_timeout"))
    assert shown == {"timezone": "UTC", "statement_timeout": "30s"}
    assert lock == "10s"


def test_an_idle_transaction_is_ended_and_its_locks_are_free(database: RunningState, owner_sql: OwnerSql) -> None:
    hasty = connect(f"{database.app_url}?options=-cidle_in_transaction_session_timeout%3D200")
    with hasty.connect() as stopped:
        stopped.execute(text("SELECT pg_advisory_xact_lock(7)"))
        waited = owner_sql("SELECT pg_advisory_lock(7)")
        assert len(waited) == 1
        with pytest.raises(DBAPIError) as cut:
            stopped.execute(text("SELECT 1"))
        stopped.invalidate()
    found = translate(cut.value)
    assert found is not None
    assert found.code is ErrorCode.DATABASE_UNAVAILABLE
    hasty.dispose()
    usual = connect(database.app_url)
    with usual.connect() as ours:
        assert ours.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "10s"
    usual.dispose()


def test_options_of_a_url_are_kept_beside_ours(database: RunningState) -> None:
    engine = connect(f"{database.owner_url}?options=-crole%3Dgantry_app")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == "gantry_app"
        assert connection.scalar(text("SHOW timezone")) == "UTC"
    engine.dispose()


def test_a_block_that_raises_leaves_nothing(tx: Transactions, owner_sql: OwnerSql) -> None:
    def write_then_raise() -> None:
        with tx() as session:
            event = "gen_random_uuid(), 'BARS_IMPORTED', 'test', 'm', 't'"
            session.execute(
                text(f"INSERT INTO system_events (id, event_type, actor, message, trace_id) SELECT {event}")
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_then_raise()
    assert owner_sql("SELECT count(*) FROM system_events") == [(0,)]


def test_an_exhausted_pool_is_database_unavailable(database: RunningState) -> None:
    engine = connect(database.app_url, pool_size=1)
    tx = transactions(engine)
    with tx() as holding:
        holding.execute(text("SELECT 1"))
        with pytest.raises(GantryError) as caught, tx() as second:
            second.execute(text("SELECT 1"))
    engine.dispose()
    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE
    assert caught.value.kind is Kind.UNAVAILABLE


def test_a_statement_that_takes_too_long_is_database_unavailable(tx: Transactions) -> None:
    def dawdle() -> None:
        with tx() as session:
            session.execute(text("SET LOCAL statement_timeout = '20ms'"))
            session.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(GantryError, match="too busy") as caught:
        dawdle()
    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE


def test_a_terminated_connection_is_database_unavailable_and_the_next_transaction_works(
    tx: Transactions, superuser: psycopg.Connection[tuple[object, ...]]
) -> None:
    def lose_the_connection() -> None:
        with tx() as session:
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            session.execute(text("SELECT 1"))

    with pytest.raises(GantryError, match="doesn't answer"):
        lose_the_connection()
    with tx() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_a_server_that_is_gone_is_named_without_its_password() -> None:
    engine = connect("postgresql://somebody:hidden-word@127.0.0.1:9/gantry")
    with pytest.raises(GantryError) as caught:
        check_server(engine)
    engine.dispose()
    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE
    assert "hidden-word" not in str(caught.value)


def test_the_embedded_owner_lacks_no_right(database: RunningState) -> None:
    engine = connect(database.owner_url)
    check_server(engine)
    engine.dispose()


def test_a_user_without_rights_sees_each_missing_one(
    database: RunningState, superuser: psycopg.Connection[tuple[object, ...]]
) -> None:
    superuser.execute("CREATE ROLE poor LOGIN PASSWORD 'poor'")
    url = f"postgresql://poor:poor@127.0.0.1:{database.port}/{database.owner_url.rpartition('/')[2]}"
    engine = connect(url)
    with pytest.raises(GantryError) as caught:
        check_server(engine)
    engine.dispose()
    superuser.execute("DROP ROLE poor")
    assert caught.value.code is ErrorCode.ENVIRONMENT_INVALID
    for missing in ("create schemas", "create tables", "GRANT gantry_app TO poor"):
        assert missing in caught.value.message


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:p@h/d", "sqlite://", "postgresql://u:p@host:5432"])
def test_a_database_url_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(GantryError) as caught:
        database_urls(Settings(DATABASE_URL=url))
    assert caught.value.code is ErrorCode.ENVIRONMENT_INVALID
    assert url not in caught.value.message


def test_with_a_database_url_the_application_takes_the_lesser_role_and_dagster_its_schema(
    database: RunningState,
) -> None:
    urls = database_urls(Settings(DATABASE_URL=database.owner_url.replace("postgresql://", "postgres://")))
    assert urls.owner == database.owner_url
    assert urls.dagster.startswith("postgresql+psycopg2://")
    assert urls.dagster.endswith("?options=-csearch_path%3Ddagster")
    with psycopg.connect(urls.app) as connection:
        assert connection.execute("SELECT current_user, session_user").fetchone() == ("gantry_app", "gantry_owner")


def test_blanks_in_given_options_survive_libpq(database: RunningState) -> None:
    given = f"{database.owner_url}?options=-c%20work_mem%3D5MB"
    with psycopg.connect(database_urls(Settings(DATABASE_URL=given)).app) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)
        assert connection.execute("SELECT current_user::text").fetchone() == ("gantry_app",)


def test_without_any_database_the_fix_is_gantry_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(GantryError, match="isn't running") as caught:
        database_urls(Settings(GANTRY_HOME=tmp_path))
    assert "gantry up" in caught.value.fix
