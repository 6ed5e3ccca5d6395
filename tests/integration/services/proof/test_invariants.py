"""A fleet that only ever did legal things has no violation, and each planted one is found and named."""

import json
from collections.abc import Iterator
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
from services.backtests.grade import grade_bots
from services.backtests.write import write_failed
from services.bars.simulate import simulate_months
from services.bots.create import NewBot, create_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from services.jobs.reaper import reap_lost_leases
from services.proof.invariants import INVARIANTS, Violation, check_invariants
from sql.embedded import RunningState
from sql.embedded_folder import password
from sql.engine import Transactions, connect, transactions
from tests.factories.bars_months import MONTH
from tests.factories.bots import NOW
from tests.factories.databases import fresh
from tests.factories.planted_faults import DONE, PLANTED, Planted, copied

NAMES = ("done", "lost", "broken", "waiting", "unused")


@pytest.fixture(scope="module")
def fleet(
    cluster: RunningState,
    cluster_folder: Path,
    superuser: psycopg.Connection[tuple[Any, ...]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    """Jobs of every kind of end, made by the services; the superuser's engine on their database."""
    for state in fresh(cluster, superuser, template="gantry"):
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
    simulate_months(tx, store, ["ES"], [MONTH], actor="test", now=NOW)
    with tx() as session:
        made = {
            name: create_bot(session, NewBot(name=name, symbol="ES", strategy="sma_cross"), actor="test", now=NOW)
            for name in NAMES
        }
    _claim(tx, made["lost"])
    with tx() as session:
        session.execute(text("UPDATE bot_jobs SET lease_expires_at = now() - interval '1 s' WHERE status = 'RUNNING'"))
    reap_lost_leases(tx, actor="test")
    with tx() as session:
        session.execute(text("UPDATE bot_jobs SET not_before = NULL WHERE status = 'QUEUED'"))
    grade_bots(tx, store, [made["done"], made["lost"]], run_id=None, actor="test", now=NOW)
    grade_bots(tx, store, [made["done"]], run_id=None, actor="test", now=NOW)
    held, error = _claim(tx, made["broken"]), GantryError(ErrorCode.STRATEGY_ERROR, "It divides by 0.", fix="Fix it.")
    with tx() as session:
        write_failed(session, held, None, error, run_id=None, now=NOW)
    with tx() as session:
        enqueue_job(session, made["waiting"], kind=BacktestKind.BASELINE, actor="test")


def _claim(tx: Transactions, bot_id: Any) -> Claim:
    with tx() as session:
        enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
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


def test_of_many_faults_of_a_kind_twenty_are_reported(open_heart: Connection) -> None:
    for table in ("trade_logs", "bot_equity_curve"):
        open_heart.execute(text(f"DELETE FROM {table}"))
    open_heart.execute(text("DELETE FROM job_run_events"))
    copy = copied("bot_jobs", f"id = {DONE}", id="gen_random_uuid()", root_job_id="gen_random_uuid()")
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
        bot_id = create_bot(session, NewBot(name="one", symbol="ES", strategy="sma_cross"), actor="test", now=NOW)
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
    reported = {entry["invariant"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert {name for name, entry in reported.items() if entry["verdict"] == "FAIL"} == {"I7"}
    assert reported["I7"]["violations"][0]["facts"]["bot_id"] == str(bot_id)
