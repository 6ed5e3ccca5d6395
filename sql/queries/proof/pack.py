"""The proof pack's statements, word for word as a person types them into psql, and how they are run: reading only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sql.migrate import current
from sql.tables.bots import Bot

BOT_ID: Final = "<ID>"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, run for each bot where it holds `<ID>`. to_come: its table isn't there yet."""

    name: str
    proves: str
    sql: str
    to_come: bool = False


@dataclass(frozen=True, slots=True)
class StatementRows:
    """What a statement returned."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


STATEMENTS: Final = (
    Statement(
        "bot_jobs",
        "what each bot was given to do, and what became of it",
        "SELECT id, bot_id, job_type, status, attempt, iteration, created_at, started_at, completed_at "
        "FROM bot_jobs WHERE bot_id='<ID>' ORDER BY created_at DESC LIMIT 10;",
    ),
    Statement(
        "bot_instances",
        "which runners each bot has",
        "SELECT id, bot_id, status, last_heartbeat_at, updated_at "
        "FROM bot_instances WHERE bot_id='<ID>' ORDER BY updated_at DESC LIMIT 5;",
        to_come=True,
    ),
    Statement(
        "backtest_sessions",
        "the backtests behind each bot's numbers",
        "SELECT id, bot_id, status, completed_at, total_trades, net_pnl, created_at "
        "FROM backtest_sessions WHERE bot_id='<ID>' ORDER BY created_at DESC LIMIT 5;",
    ),
    Statement(
        "bot_stage_events",
        "every change of stage of each bot, with its reason",
        "SELECT id, bot_id, from_stage, to_stage, reason_code, created_at "
        "FROM bot_stage_events WHERE bot_id='<ID>' ORDER BY created_at DESC LIMIT 10;",
    ),
)
# Ticks are kept for longer than a week where they are among the newest; their decisions aren't.
AGREEMENT: Final = Statement(
    "ticks_and_jobs",
    "each tick's counts equal the rows of bot_jobs that it made: both columns of each pair are the same",
    "SELECT r.id, r.started_at, r.jobs_enqueued AS counted, count(j.id) AS found, "
    "(r.summary #>> '{jobs_enqueued_by_type,BACKTEST}')::int AS counted_backtest, "
    "count(j.id) FILTER (WHERE j.job_type = 'BACKTEST') AS found_backtest, "
    "(r.summary #>> '{jobs_enqueued_by_type,IMPROVE}')::int AS counted_improve, "
    "count(j.id) FILTER (WHERE j.job_type = 'IMPROVE') AS found_improve, "
    "(r.summary #>> '{jobs_enqueued_by_type,EVOLVE}')::int AS counted_evolve, "
    "count(j.id) FILTER (WHERE j.job_type = 'EVOLVE') AS found_evolve "
    "FROM (SELECT * FROM autonomy_planner_runs WHERE started_at > now() - interval '6 days' "
    "ORDER BY started_at DESC, id DESC LIMIT 50) r "
    "LEFT JOIN autonomy_bot_decisions d ON d.planner_run_id = r.id AND d.enqueued "
    "AND d.created_at BETWEEN r.started_at AND r.finished_at "
    "LEFT JOIN bot_jobs j ON j.id = d.job_id "
    "GROUP BY r.id, r.started_at, r.jobs_enqueued, r.summary ORDER BY r.started_at DESC;",
)


def read_only(session: Session) -> None:
    """Let this transaction, which has just begun, change nothing, and see one state of the database throughout."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def newest_bots(session: Session, *, limit: int) -> Sequence[tuple[UUID, str]]:
    """Return ids and names of the newest active bots."""
    query = select(Bot.id, Bot.name).where(Bot.archived_at.is_(None))
    rows = session.execute(query.order_by(Bot.created_at.desc(), Bot.id.desc()).limit(limit))
    return [(bot_id, name) for bot_id, name in rows]


def for_bot(statement: Statement, bot_id: UUID) -> str:
    """Return the statement as it is typed for this bot."""
    return statement.sql.replace(BOT_ID, str(bot_id))


def run(session: Session, sql: str) -> StatementRows:
    """Run a statement as it stands."""
    # Colons are casts here, never parameters.
    result = session.execute(text(sql.replace(":", "\\:")))
    return StatementRows(tuple(result.keys()), [tuple(row) for row in result])


def server(session: Session) -> tuple[str, str | None]:
    """Return Postgres' version and the revision of the schema."""
    return str(session.scalar(text("SHOW server_version"))), current(session.connection())
