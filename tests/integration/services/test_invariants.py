"""A fleet that only ever did legal things has no violation, and each planted one is found and named."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.orm import Session

from cli.doctor import check_data
from core.errors import ErrorCode, GantryError
from core.settings import get_settings
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind
from integrations.store import BarsStore
from services import bars, bots, grade_writes, grading, jobs
from services.bots import NewBot
from services.claims import claim_chunk
from services.heartbeat import LeaseTerms
from services.invariants import INVARIANTS, Violation, check_invariants
from services.jobs import Claim
from services.reaper import reap_lost_leases
from sql.embedded import RunningState
from sql.embedded_folder import password
from sql.engine import Transactions, connect, transactions
from tests.conftest import _fresh
from tests.integration.services.conftest import MONTH, NOW

NAMES = ("done", "lost", "broken", "waiting", "unused")


@pytest.fixture(scope="module")
def fleet(
    cluster: RunningState,
    cluster_folder: Path,
    superuser: psycopg.Connection[tuple[Any, ...]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    """Jobs of every kind of end, made by the services; the superuser's engine on their database."""
    for state in _fresh(cluster, superuser, template="gantry"):
        app = connect(state.app_url)
        _live(transactions(app), BarsStore(str(tmp_path_factory.mktemp("bars"))))
        url = make_url(state.owner_url).set(username="postgres", password=password(cluster_folder, "superuser"))
        engine = connect(url.render_as_string(hide_password=False))
        yield engine
        engine.dispose()
        app.dispose()


@pytest.fixture
def open_heart(fleet: Engine) -> Iterator[Connection]:
    """A connection on which no trigger refuses anything; all that is done on it is undone."""
    with fleet.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
        connection.rollback()


def _live(tx: Transactions, store: BarsStore) -> None:
    bars.simulate(tx, store, ["ES"], [MONTH], actor="test", now=NOW)
    with tx() as session:
        made = {
            name: bots.create(session, NewBot(name=name, symbol="ES", strategy="sma_cross"), actor="test", now=NOW)
            for name in NAMES
        }
    _claim(tx, made["lost"])
    with tx() as session:
        session.execute(text("UPDATE bot_jobs SET lease_expires_at = now() - interval '1 s' WHERE status = 'RUNNING'"))
    reap_lost_leases(tx, actor="test")
    with tx() as session:
        session.execute(text("UPDATE bot_jobs SET not_before = NULL WHERE status = 'QUEUED'"))
    grading.grade(tx, store, [made["done"], made["lost"]], run_id=None, actor="test", now=NOW)
    grading.grade(tx, store, [made["done"]], run_id=None, actor="test", now=NOW)
    held, error = _claim(tx, made["broken"]), GantryError(ErrorCode.STRATEGY_ERROR, "It divides by 0.", fix="Mend it.")
    with tx() as session:
        grade_writes.write_failed(session, held, None, error, run_id=None, now=NOW)
    with tx() as session:
        jobs.enqueue(session, made["waiting"], kind=BacktestKind.BASELINE, actor="test")


def _claim(tx: Transactions, bot_id: Any) -> Claim:
    with tx() as session:
        jobs.enqueue(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
    with tx() as session:
        (held,) = claim_chunk(session, caps=Caps(), most=1, terms=LeaseTerms(), run_id=None)
    return held


def found(connection: Connection, *, quiet: bool = False) -> tuple[Violation, ...]:
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        return check_invariants(session, quiet=quiet)


def test_a_fleet_that_did_legal_things_alone_violates_nothing(fleet: Engine) -> None:
    with fleet.connect() as connection:
        statuses = connection.execute(text("SELECT status, count(*) FROM bot_jobs GROUP BY 1 ORDER BY 1")).all()
        assert [tuple(row) for row in statuses] == [("COMPLETED", 3), ("FAILED", 1), ("QUEUED", 1), ("TIMEOUT", 1)]
        assert found(connection) == ()


def test_a_job_that_still_waits_is_wrong_only_when_the_fleet_should_be_quiet(open_heart: Connection) -> None:
    (violation,) = found(open_heart, quiet=True)
    assert violation.invariant == "I1"
    [(job_id,)] = open_heart.execute(text("SELECT id FROM bot_jobs WHERE status = 'QUEUED'")).all()
    assert (violation.facts["job_id"], violation.facts["status"]) == (job_id, "QUEUED")
    assert str(job_id) in violation.message


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault: how it is planted, and a part of the sentence it must be found with."""

    invariant: str
    says: str
    statements: tuple[str, ...]


def _job(name: str, status: str) -> str:
    return (
        f"(SELECT j.id FROM bot_jobs j JOIN bots b ON b.id = j.bot_id WHERE b.name = '{name}' AND j.status = '{status}'"
        " ORDER BY j.created_at DESC LIMIT 1)"
    )


def _bot(name: str) -> str:
    return f"(SELECT id FROM bots WHERE name = '{name}')"


def _ledger(job: str, old: str, new: str, reason: str = "TEST") -> str:
    from_status = f"'{old}'" if old else "NULL"
    return (
        "INSERT INTO job_run_events (job_id, from_status, to_status, reason_code, trace_id)"
        f" VALUES ({job}, {from_status}, '{new}', '{reason}', 't')"
    )


def _copied(table: str, where: str, **changes: str) -> str:
    """Insert rows again, with other values in some columns."""
    values = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(r, jsonb_build_object({values}))).*"
        f" FROM {table} r WHERE {where}"
    )


DONE, LOST, BROKEN = _job("done", "COMPLETED"), _job("lost", "TIMEOUT"), _job("broken", "FAILED")
WAITING, AGAIN = _job("waiting", "QUEUED"), _job("lost", "COMPLETED")
SESSION = f"(SELECT id FROM backtest_sessions WHERE job_id = {DONE})"
NO_UNIQUE = "DROP INDEX uq_bot_jobs_active_per_bot"
BORN = f"bot_id = {_bot('done')}"
PLANTED = (
    Planted("I1", "doesn't begin", (f"DELETE FROM job_run_events WHERE job_id = {WAITING}",)),
    Planted("I1", "doesn't begin", (f"DELETE FROM job_run_events WHERE job_id = {DONE} AND from_status IS NULL",)),
    Planted(
        "I1",
        "no other was queued",
        (f"DELETE FROM job_run_events WHERE job_id = {AGAIN}", f"DELETE FROM bot_jobs WHERE id = {AGAIN}"),
    ),
    Planted(
        "I2",
        "several active jobs",
        (NO_UNIQUE, _copied("bot_jobs", f"id = {WAITING}", id="gen_random_uuid()", root_job_id="gen_random_uuid()")),
    ),
    Planted(
        "I2",
        "was claimed while another job of its bot was held",
        (
            "UPDATE job_run_events SET created_at = created_at + interval '1 hour' "
            f"WHERE job_id = {LOST} AND to_status = 'TIMEOUT'",
        ),
    ),
    Planted(
        "I2",
        "its job",
        (
            f"UPDATE bot_jobs SET status = 'FAILED' WHERE id = {DONE}",
            f"UPDATE job_run_events SET to_status = 'FAILED' WHERE job_id = {DONE} AND to_status = 'COMPLETED'",
        ),
    ),
    Planted("I2", "points at", (f"UPDATE bot_jobs SET session_id = gen_random_uuid() WHERE id = {DONE}",)),
    Planted(
        "I2",
        "COMPLETED without a COMPLETED session",
        (
            f"UPDATE bot_jobs SET session_id = NULL WHERE id = {DONE}",
            f"DELETE FROM backtest_sessions WHERE job_id = {DONE}",
        ),
    ),
    Planted(
        "I2",
        "its job",
        (
            f"DELETE FROM backtest_sessions WHERE job_id = {BROKEN}",
            _copied("backtest_sessions", f"id = {SESSION}", id="gen_random_uuid()", job_id=BROKEN),
        ),
    ),
    Planted(
        "I3",
        "from RUNNING to COMPLETED",
        (f"DELETE FROM job_run_events WHERE job_id = {DONE} AND to_status = 'RUNNING'",),
    ),
    Planted("I3", "from QUEUED to COMPLETED", (_ledger(WAITING, "QUEUED", "COMPLETED"),)),
    Planted(
        "I3",
        "its ledger ends in QUEUED",
        (f"UPDATE bot_jobs SET status = 'CANCELED', completed_at = now() WHERE id = {WAITING}",),
    ),
    Planted("I3", "its ledger ends in None", (f"DELETE FROM job_run_events WHERE job_id = {WAITING}",)),
    Planted(
        "I4",
        "attempt 4 of at most 3",
        (
            "ALTER TABLE bot_jobs DROP CONSTRAINT ck_bot_jobs_attempt_in_bounds",
            f"UPDATE bot_jobs SET attempt = 4 WHERE id = {WAITING}",
        ),
    ),
    Planted("I4", "aren't 1, 2, ... of one bot: [1, 3]", (f"UPDATE bot_jobs SET attempt = 3 WHERE id = {AGAIN}",)),
    Planted("I4", "aren't 1, 2, ... of one bot: [1, 1]", (f"UPDATE bot_jobs SET attempt = 1 WHERE id = {AGAIN}",)),
    Planted(
        "I4",
        "aren't 1, 2, ... of one bot: [1, 2]",
        (f"UPDATE bot_jobs SET bot_id = {_bot('unused')} WHERE id = {AGAIN}",),
    ),
    Planted("I4", "on from COMPLETED, which is final", (_ledger(DONE, "COMPLETED", "RUNNING"),)),
    Planted("I4", "on from TIMEOUT, which is final", (_ledger(LOST, "RUNNING", "TIMEOUT"),)),
    Planted(
        "I4",
        "a further attempt after one that is COMPLETED",
        (_copied("bot_jobs", f"id = {DONE}", id="gen_random_uuid()", attempt="2"),),
    ),
    Planted(
        "I5",
        "which was TIMEOUT",
        (_copied("backtest_sessions", f"id = {SESSION}", id="gen_random_uuid()", job_id=LOST),),
    ),
    Planted(
        "I5",
        "which was CANCELED",
        (
            _copied("backtest_sessions", f"id = {SESSION}", id="gen_random_uuid()", job_id=WAITING),
            f"UPDATE bot_jobs SET status = 'CANCELED', completed_at = now() WHERE id = {WAITING}",
        ),
    ),
    Planted("I5", "epoch 1 and 0", (f"UPDATE backtest_sessions SET epoch = 1 WHERE id = {SESSION}",)),
    Planted("I5", "or another bot", (f"UPDATE backtest_sessions SET bot_id = {_bot('unused')} WHERE id = {SESSION}",)),
    Planted(
        "I5",
        "rows of trade_logs have no COMPLETED session",
        (f"UPDATE trade_logs SET session_id = {LOST} WHERE session_id = {SESSION}",),
    ),
    Planted(
        "I5",
        "rows of bot_equity_curve have no COMPLETED session",
        (f"UPDATE bot_equity_curve SET session_id = {LOST} WHERE session_id = {SESSION}",),
    ),
    Planted("I6", "its trades are", (f"DELETE FROM trade_logs WHERE session_id = {SESSION} AND seq = 0",)),
    Planted(
        "I6",
        "and net",
        (f"UPDATE trade_logs SET gross_pnl = gross_pnl + 0.01 WHERE session_id = {SESSION} AND seq = 3",),
    ),
    Planted("I6", "its trades are", (f"UPDATE trade_logs SET epoch = 1 WHERE session_id = {SESSION} AND seq = 3",)),
    Planted("I6", "its trades are 0", (f"DELETE FROM trade_logs WHERE session_id = {SESSION}",)),
    Planted("I6", "has 0 days of equity", (f"DELETE FROM bot_equity_curve WHERE session_id = {SESSION}",)),
    Planted("I6", "(0 to 2)", (f"UPDATE bot_equity_curve SET epoch = 2 WHERE session_id = {SESSION} AND seq = 3",)),
    Planted(
        "I7",
        "is in PAPER, its stage events end in LAB",
        (f"UPDATE bots SET stage = 'PAPER' WHERE id = {_bot('done')}",),
    ),
    Planted("I7", "its stage events end in None", (f"DELETE FROM bot_stage_events WHERE {BORN}",)),
    Planted("I7", "was created 0 times", (f"DELETE FROM bot_stage_events WHERE {BORN}",)),
    Planted("I7", "was created 2 times", (_copied("bot_stage_events", BORN, id="gen_random_uuid()"),)),
    Planted(
        "I7",
        "from CANARY to LIVE after LAB",
        (
            _copied(
                "bot_stage_events",
                BORN,
                id="gen_random_uuid()",
                event_type="'PROMOTED'",
                from_stage="'CANARY'",
                to_stage="'LIVE'",
                created_at="now()",
            ),
            f"UPDATE bots SET stage = 'LIVE' WHERE id = {_bot('done')}",
        ),
    ),
    Planted(
        "I7",
        "from LAB to LIVE after LAB",
        (
            _copied(
                "bot_stage_events",
                BORN,
                id="gen_random_uuid()",
                event_type="'PROMOTED'",
                from_stage="'LAB'",
                to_stage="'LIVE'",
                created_at="now()",
            ),
            f"UPDATE bots SET stage = 'LIVE' WHERE id = {_bot('done')}",
        ),
    ),
    Planted("ROLLUPS", "net_pnl is", (f"UPDATE bot_metrics_rollups SET net_pnl = net_pnl + 0.01 WHERE {BORN}",)),
    Planted("ROLLUPS", "sharpe is", (f"UPDATE bot_metrics_rollups SET sharpe = 9 WHERE {BORN}",)),
    Planted("ROLLUPS", "profit_factor is None", (f"UPDATE bot_metrics_rollups SET profit_factor = NULL WHERE {BORN}",)),
    Planted("ROLLUPS", "max_drawdown_usd is", (f"UPDATE bot_metrics_rollups SET max_drawdown_usd = 0 WHERE {BORN}",)),
    Planted(
        "ROLLUPS", "epoch is 0, raw rows say None", (f"UPDATE bot_metrics_rollups SET session_id = NULL WHERE {BORN}",)
    ),
)


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: f"{fault.invariant} {fault.says}")
def test_a_planted_fault_is_found_and_named(open_heart: Connection, fault: Planted) -> None:
    changed = [open_heart.execute(text(statement)).rowcount for statement in fault.statements]
    assert all(changed), "each statement plants something"
    violations = found(open_heart)
    named = [one for one in violations if one.invariant == fault.invariant and fault.says in one.message]
    assert named, violations
    assert all(one.facts for one in named)


def test_every_invariant_has_a_planted_fault() -> None:
    assert {fault.invariant for fault in PLANTED} == set(INVARIANTS)


def test_of_many_faults_of_a_kind_twenty_are_told(open_heart: Connection) -> None:
    for table in ("trade_logs", "bot_equity_curve"):
        open_heart.execute(text(f"DELETE FROM {table}"))
    open_heart.execute(text("DELETE FROM job_run_events"))
    copy = _copied("bot_jobs", f"id = {DONE}", id="gen_random_uuid()", root_job_id="gen_random_uuid()")
    for _ in range(25):
        open_heart.execute(text(copy))
    violations = found(open_heart)
    assert len([one for one in violations if "doesn't begin" in one.message]) == 20


@pytest.fixture
def doctor_looks_here(database: RunningState, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("doctor_looks_here")
def test_the_doctor_tells_of_each_invariant_and_fails_when_one_is_violated(
    tx: Transactions, capsys: pytest.CaptureFixture[str]
) -> None:
    with tx() as session:
        bot_id = bots.create(session, NewBot(name="one", symbol="ES", strategy="sma_cross"), actor="test", now=NOW)
    check_data(as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "ok"] for name in INVARIANTS]
    with tx() as session:
        session.execute(text("UPDATE bots SET stage = 'PAPER'"))
    with pytest.raises(SystemExit, match="1"):
        check_data(as_json=False)
    assert f"bot {bot_id} is in PAPER, its stage events end in LAB" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="1"):
        check_data(as_json=True)
    told = {entry["invariant"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert {name for name, entry in told.items() if entry["verdict"] == "FAIL"} == {"I7"}
    assert told["I7"]["violations"][0]["facts"]["bot_id"] == str(bot_id)
