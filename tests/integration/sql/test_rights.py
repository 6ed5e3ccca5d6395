"""Raw truth and audit rows can't be changed: not by the application's role, and not by the owner either."""

from itertools import product
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import JobStatus
from fleet.jobs import ACTIVE, is_legal
from sql.embedded import RunningState
from sql.engine import Transactions
from sql.tables import Base
from tests.factories.bars_months import make_month
from tests.factories.bots import make_bot
from tests.factories.databases import OwnerSql
from tests.factories.jobs import make_job
from tests.factories.results import make_session

INSERT_ONLY = (
    "activity_events",
    "backtest_sessions",
    "bars_accepted_sessions",
    "bars_fetches",
    "bot_equity_curve",
    "bot_improvements",
    "bot_metrics_events",
    "bot_stage_events",
    "bot_versions",
    "integration_usage_events",
    "job_run_events",
    "system_events",
    "trade_logs",
)
COLUMN = {"bars_accepted_sessions": "symbol", "trade_logs": "session_id", "bot_equity_curve": "session_id"}


def test_even_the_owner_changes_no_raw_row(owner_sql: OwnerSql) -> None:
    changes = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE")
    for change, table in product(changes, INSERT_ONLY):
        with pytest.raises(psycopg.errors.RestrictViolation, match=f"{table} is insert-only"):
            owner_sql(change.format(table, COLUMN.get(table, "id")))


def test_the_application_has_no_right_to_try(database: RunningState) -> None:
    rights = b"SELECT p FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) p "
    with psycopg.connect(database.app_url) as connection:
        for table in INSERT_ONLY:
            granted = connection.execute(rights + b"WHERE has_table_privilege(%s, p)", (table,)).fetchall()
            assert granted == [("SELECT",), ("INSERT",)], table


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
    session: Session, current: JobStatus, following: JobStatus
) -> None:
    job_id = make_job(session, make_bot(session), current).id
    if is_legal(current, following):
        session.execute(*_move(job_id, following))
    elif current is following and current in ACTIVE:
        session.execute(text("UPDATE bot_jobs SET status = status WHERE id = :id"), {"id": job_id})
    else:
        with pytest.raises(IntegrityError, match="refused"), session.begin_nested():
            session.execute(*_move(job_id, following))
    expected = following if is_legal(current, following) else current
    assert session.scalar(text("SELECT status FROM bot_jobs WHERE id = :id"), {"id": job_id}) == expected


@pytest.mark.parametrize("change", ["attempt = 2", "bot_id = gen_random_uuid()", "iteration = 9", "kind = 'MANUAL'"])
def test_what_a_job_is_never_changes(session: Session, change: str) -> None:
    make_job(session, make_bot(session))
    with pytest.raises(IntegrityError, match="may not change"):
        session.execute(text(f"UPDATE bot_jobs SET {change}"))


def test_an_ended_job_keeps_its_last_word(session: Session) -> None:
    make_job(session, make_bot(session), JobStatus.FAILED)
    with pytest.raises(IntegrityError, match="refused"):
        session.execute(text("UPDATE bot_jobs SET error_message = 'better'"))


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.QUEUED])
def test_a_job_is_created_queued(session: Session, status: JobStatus) -> None:
    make_bot(session)
    birth = (
        "INSERT INTO bot_jobs (id, root_job_id, bot_id, job_type, kind, status, actor, trace_id)"
        f" SELECT gen_random_uuid(), gen_random_uuid(), id, 'BACKTEST', 'MANUAL', '{status}', 'x', 'x' FROM bots"
    )
    with pytest.raises(IntegrityError, match=f"born {status} refused"):
        session.execute(text(birth))


@pytest.mark.parametrize(
    "change", ["content_hash = repeat('0', 64)", "quality = 'OK'", "path = 'x'", "month = '2020-01'"]
)
def test_what_the_catalogue_says_of_bars_is_never_rewritten(session: Session, change: str) -> None:
    make_month(session)
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(f"UPDATE bars_catalogue SET {change}"))


def test_derived_rows_and_the_catalogue_may_be_brought_up_to_date(session: Session) -> None:
    make_month(session)
    for change in (
        "UPDATE bars_catalogue SET superseded_at = now()",
        "DELETE FROM bot_metrics_rollups",
        "DELETE FROM autonomy_scores",
    ):
        session.execute(text(change))


def test_tables_named_here_are_the_ones_with_the_trigger(session: Session) -> None:
    found = session.scalars(text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'insert_only'"))
    assert sorted(found) == list(INSERT_ONLY)


def _move(job_id: UUID, following: JobStatus) -> tuple[TextClause, dict[str, object]]:
    lease = "gen_random_uuid()" if following is JobStatus.RUNNING else "NULL"
    expiry = "now()" if following is JobStatus.RUNNING else "NULL"
    ended = "NULL" if following in ACTIVE else "now()"
    changes = f"status = :status, lease_token = {lease}, lease_expires_at = {expiry}, completed_at = {ended}"
    return text(f"UPDATE bot_jobs SET {changes} WHERE id = :id"), {"status": following, "id": job_id}
