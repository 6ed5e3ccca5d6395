"""Raw truth and audit rows can't be changed: not by the application's role, and not by the owner either."""

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import JobStatus
from fleet.jobs import is_legal
from sql.embedded import RunningState
from sql.engine import Transactions
from sql.tables import Base
from tests.conftest import OwnerSql
from tests.factories.bars_months import make_month
from tests.factories.bots import make_bot
from tests.factories.jobs import make_job
from tests.factories.results import make_session

INSERT_ONLY = (
    "activity_events",
    "backtest_sessions",
    "bot_equity_curve",
    "bot_stage_events",
    "bot_versions",
    "job_run_events",
    "system_events",
    "trade_logs",
)
COLUMN = {"trade_logs": "session_id", "bot_equity_curve": "session_id"}


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_even_the_owner_changes_no_raw_row(owner_sql: OwnerSql, table: str, change: str) -> None:
    statement = change.format(table, COLUMN.get(table, "id"))
    with pytest.raises(psycopg.errors.RestrictViolation, match="insert-only"):
        owner_sql(statement)


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_the_application_has_no_right_to_try(database: RunningState, table: str) -> None:
    rights = "SELECT array_agg(p) FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) p WHERE {}"
    with psycopg.connect(database.app_url) as connection:
        granted = connection.execute(rights.format("has_table_privilege(%s, p)").encode(), (table,)).fetchone()
    assert granted == (["SELECT", "INSERT"],)


def test_every_table_is_of_use_to_the_application(database: RunningState) -> None:
    with psycopg.connect(database.app_url) as connection:
        for table in Base.metadata.tables:
            found = connection.execute("SELECT has_table_privilege(%s, 'SELECT, INSERT')", (table,)).fetchone()
            assert found == (True,), table


def test_the_application_may_not_make_tables_or_delete_bots_and_jobs(database: RunningState) -> None:
    for statement in ("CREATE TABLE mine (id int)", "DELETE FROM bots", "DELETE FROM bot_jobs", "TRUNCATE bot_jobs"):
        with psycopg.connect(database.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_changing_a_raw_row_is_a_conflict_with_a_fix(tx: Transactions, database: RunningState) -> None:
    with tx() as session:
        bot_id = make_session(session, make_bot(session)).bot_id
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("GRANT UPDATE ON bot_versions TO gantry_app")
    with pytest.raises(GantryError, match="never changed") as caught, tx() as session:
        session.execute(text("UPDATE bot_versions SET strategy = 'x' WHERE bot_id = :id"), {"id": bot_id})
    assert caught.value.code is ErrorCode.CONFLICT
    assert caught.value.fix


@pytest.mark.parametrize("following", JobStatus)
@pytest.mark.parametrize("current", JobStatus)
def test_a_job_moves_in_sql_exactly_where_the_table_of_transitions_lets_it(
    tx: Transactions, owner_sql: OwnerSql, current: JobStatus, following: JobStatus
) -> None:
    with tx() as session:
        job_id = make_job(session, make_bot(session), current).id
    if is_legal(current, following):
        _move(owner_sql, job_id, following)
    elif current is following and current in {JobStatus.QUEUED, JobStatus.RUNNING}:
        owner_sql("UPDATE bot_jobs SET status = status WHERE id = %s", job_id)  # staying is no move
    else:
        with pytest.raises(psycopg.errors.RestrictViolation, match="refused"):
            _move(owner_sql, job_id, following)
    expected = following if is_legal(current, following) else current
    assert owner_sql("SELECT status FROM bot_jobs WHERE id = %s", job_id) == [(expected,)]


@pytest.mark.parametrize("change", ["attempt = 2", "bot_id = gen_random_uuid()", "iteration = 9", "kind = 'MANUAL'"])
def test_what_a_job_is_never_changes(tx: Transactions, owner_sql: OwnerSql, change: str) -> None:
    with tx() as session:
        make_job(session, make_bot(session))
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner_sql(f"UPDATE bot_jobs SET {change}")


def test_an_ended_job_keeps_its_last_word(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tx() as session:
        make_job(session, make_bot(session), JobStatus.FAILED)
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner_sql("UPDATE bot_jobs SET error_message = 'better'")


def test_derived_rows_and_the_catalogue_may_be_brought_up_to_date(tx: Transactions) -> None:
    with tx() as session:
        make_month(session)
        session.execute(text("UPDATE bars_catalogue SET superseded_at = now()"))
        session.execute(text("DELETE FROM bot_metrics_rollups"))
        session.execute(text("DELETE FROM autonomy_scores"))


def test_tables_named_here_are_the_ones_with_the_trigger(owner_sql: OwnerSql) -> None:
    found = owner_sql("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'insert_only' ORDER BY 1")
    assert [name for (name,) in found] == list(INSERT_ONLY)


def _move(owner_sql: OwnerSql, job_id: UUID, following: JobStatus) -> None:
    running, ended = following is JobStatus.RUNNING, following not in {JobStatus.QUEUED, JobStatus.RUNNING}
    lease = ("gen_random_uuid()", "now()") if running else ("NULL", "NULL")
    owner_sql(
        f"UPDATE bot_jobs SET status = %s, lease_token = {lease[0]}, lease_expires_at = {lease[1]}, "
        f"completed_at = {'now()' if ended else 'NULL'} WHERE id = %s",
        following.value,
        job_id,
    )
