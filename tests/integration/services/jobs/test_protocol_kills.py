"""The connection is cut before each statement and each commit of a job's way, and after: nothing is lost or doubled."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.errors import ErrorCode, GantryError, Kind
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, MetricsScope, TickCause
from fleet.jobs import JobReason
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from services.backtests.write import write_completed, write_failed
from services.bots.create import NewBot, create_bot
from services.jobs.cancel import cancel_job
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from services.jobs.read import active_job
from services.jobs.reaper import reap_lost_leases
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from services.proof.invariants import check_invariants
from services.resets.reset import ResetRequest, reset_metrics
from services.resets.revert import revert_to_lab
from sql.engine import Transactions, transactions
from sql.queries.jobs import lease as queries
from tests.factories.databases import OwnerSql
from tests.factories.graded import tiny_graded

TERMS = LeaseTerms(lease_s=600)
NEVER = 1_000_000
PLANNED = PlannerTerms(PlannerCaps(Caps(3, 0, 3)), Suppliers("anybody", can=True))


@dataclass(slots=True)
class Knife:
    """Cuts the connection at the nth point: before a statement, before a commit, or right after one.

    After the commit the work is done and its caller doesn't know: that is a point of its own.
    """

    engine: Engine
    superuser: psycopg.Connection[tuple[Any, ...]]
    at: int = NEVER
    points: int = 0
    what: list[str] = field(default_factory=list)

    def reset(self, at: int) -> None:
        self.at, self.points = at, 0
        self.what.clear()

    def reached(self, what: str) -> bool:
        self.points += 1
        self.what.append(what)
        return self.points == self.at

    def before_statement(self, connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if self.reached(statement):
            self.cut(connection)

    def before_commit(self, connection: Connection) -> None:
        if self.reached("COMMIT"):
            self.cut(connection)

    def cut(self, connection: Connection) -> None:
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        self.superuser.execute("SELECT pg_terminate_backend(%s)", (pid,))
        while self.superuser.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).rowcount:
            pass

    @contextmanager
    def tx(self) -> Iterator[Session]:
        with transactions(self.engine)() as session:
            yield session
        if self.reached("committed, and nobody knows"):
            raise GantryError(ErrorCode.DATABASE_UNAVAILABLE, "gone", fix="Try again.", kind=Kind.UNAVAILABLE)


@pytest.fixture
def knife(engine: Engine, superuser: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Knife]:
    made = Knife(engine, superuser)
    event.listen(engine, "before_cursor_execute", made.before_statement)
    event.listen(engine, "commit", made.before_commit)
    yield made
    event.remove(engine, "before_cursor_execute", made.before_statement)
    event.remove(engine, "commit", made.before_commit)


def enqueue(tx: Transactions, bot_id: UUID) -> None:
    """Ask as a client does who heard nothing: again, until there is an answer."""
    for _ in range(2):
        try:
            with tx() as session:
                enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
        except GantryError as error:
            if error.kind is not Kind.UNAVAILABLE and error.code is not ErrorCode.CONFLICT:
                raise


def claim(tx: Transactions) -> Claim | None:
    with tx() as session:
        taken = claim_chunk(session, caps=Caps(), most=1, terms=TERMS, run_id="run")
    return taken[0] if taken else None


def renew(engine: Engine, held: Claim) -> None:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        queries.renew(connection, {held.job_id: held.token}, lease_s=600, timeout_ms=3_000, progress=0.5)


def complete(tx: Transactions, held: Claim) -> None:
    with tx() as session:
        write_completed(session, [tiny_graded(held)], run_id="run", now=utc_now())


def fail(tx: Transactions, held: Claim, code: ErrorCode) -> None:
    with tx() as session:
        error = GantryError(code, "It broke.", fix="Fix it.")
        write_failed(session, held, None, error, run_id="run", now=utc_now())


def cancel_active(tx: Transactions, bot_id: UUID) -> None:
    with tx() as session:
        job = active_job(session, bot_id)
        if job is not None:
            cancel_job(session, job, reason=JobReason.CANCELED_BY_PERSON, actor="test")


@dataclass(frozen=True, slots=True)
class Play:
    """A bot's job from the enqueue on, as those at work on it do their parts; each dies where the knife cuts."""

    knife: Knife
    owner: OwnerSql
    bot_id: UUID

    def held(self) -> Claim:
        enqueue(self.knife.tx, self.bot_id)
        held = claim(self.knife.tx)
        assert held is not None
        return held

    def lose_leases(self) -> None:
        self.owner("UPDATE bot_jobs SET lease_expires_at = now() - interval '1 s' WHERE status = 'RUNNING'")


def completes(play: Play) -> None:
    held = play.held()
    renew(play.knife.engine, held)
    complete(play.knife.tx, held)


def fails_and_is_tried_again(play: Play) -> None:
    fail(play.knife.tx, play.held(), ErrorCode.RUN_FAILED)


def fails_for_good(play: Play) -> None:
    fail(play.knife.tx, play.held(), ErrorCode.STRATEGY_ERROR)


def is_reaped(play: Play) -> None:
    play.held()
    play.lose_leases()
    reap_lost_leases(play.knife.tx, actor="test")


def is_reaped_and_its_worker_comes_back(play: Play) -> None:
    held = play.held()
    play.lose_leases()
    reap_lost_leases(play.knife.tx, actor="test")
    complete(play.knife.tx, held)


def is_canceled_while_it_waits(play: Play) -> None:
    enqueue(play.knife.tx, play.bot_id)
    cancel_active(play.knife.tx, play.bot_id)


def is_canceled_at_work(play: Play) -> None:
    held = play.held()
    cancel_active(play.knife.tx, play.bot_id)
    complete(play.knife.tx, held)


def reset(tx: Transactions, bot_id: UUID) -> None:
    with tx() as session:
        asked = ResetRequest(MetricsScope.ALL, (bot_id,), "TEST")
        reset_metrics(session, asked, dry_run=False, actor="test", now=utc_now())


def revert(tx: Transactions, bot_id: UUID) -> None:
    with tx() as session:
        revert_to_lab(session, (bot_id,), lock_hours=24, reason_code="TEST", dry_run=False, actor="test", now=utc_now())


def is_planned_and_completes(play: Play) -> None:
    run_tick(play.knife.tx, PLANNED, cause=TickCause.CLOCK)
    held = claim(play.knife.tx)
    if held is not None:
        complete(play.knife.tx, held)


def is_reset_while_it_waits(play: Play) -> None:
    enqueue(play.knife.tx, play.bot_id)
    reset(play.knife.tx, play.bot_id)


def is_reset_at_work(play: Play) -> None:
    held = play.held()
    reset(play.knife.tx, play.bot_id)
    complete(play.knife.tx, held)


def is_reverted_at_work(play: Play) -> None:
    held = play.held()
    revert(play.knife.tx, play.bot_id)
    complete(play.knife.tx, held)


# The way, and how its job ends where nothing is cut.
WAYS: tuple[tuple[Callable[[Play], None], str], ...] = (
    (completes, "COMPLETED"),
    (fails_and_is_tried_again, "COMPLETED"),
    (fails_for_good, "FAILED"),
    (is_reaped, "COMPLETED"),
    (is_reaped_and_its_worker_comes_back, "COMPLETED"),
    (is_canceled_while_it_waits, "CANCELED"),
    (is_canceled_at_work, "CANCELED"),
    (is_planned_and_completes, "COMPLETED"),
    (is_reset_while_it_waits, "CANCELED"),
    (is_reset_at_work, "CANCELED"),
    (is_reverted_at_work, "CANCELED"),
)


@pytest.mark.parametrize(("way", "end"), WAYS, ids=lambda value: getattr(value, "__name__", value))
def test_a_connection_cut_at_any_point_loses_and_doubles_nothing(
    tx: Transactions, knife: Knife, owner_sql: OwnerSql, way: Callable[[Play], None], end: str
) -> None:
    points = _play(tx, knife, owner_sql, way, cut_at=0)
    assert _last_status(owner_sql) == end
    assert points > 10
    ends = set()
    for n in range(1, points + 1):
        assert _play(tx, knife, owner_sql, way, cut_at=n) >= n, "the knife came down"
        ends.add(_last_status(owner_sql))
    # Cut anywhere, the job takes its way as if nothing had been, or as if its worker had been lost.
    assert ends <= {end, "COMPLETED"}
    assert end in ends


def _play(tx: Transactions, knife: Knife, owner_sql: OwnerSql, way: Callable[[Play], None], *, cut_at: int) -> int:
    """Play one way on a bot of its own with a cut, let the rest of the world recover, check; return the points."""
    knife.reset(NEVER)
    with tx() as session:
        bot_id = create_bot(session, NewBot(f"cut at {cut_at}", "ES", "sma_cross"), actor="test", now=utc_now())
    knife.reset(cut_at)
    # What its actor can't know, it can't fix: it dies, and is not asked.
    with suppress(GantryError, SQLAlchemyError):
        way(Play(knife, owner_sql, bot_id))
    points, where = knife.points, knife.what[cut_at - 1 : cut_at]
    knife.reset(NEVER)
    _recover(tx, owner_sql, bot_id)
    with tx() as session:
        assert check_invariants(session, quiet=True) == (), where
        [(waiting,)] = session.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state LIKE 'idle in transaction%'"
            )
        ).all()
        assert waiting == 0, "no connection keeps locks"
    statuses = owner_sql("SELECT status, attempt FROM bot_jobs WHERE bot_id = %s ORDER BY attempt", bot_id)
    for table in ("bot_metrics_events", "bot_stage_events"):
        event_type = "event_type IN ('METRICS_RESET', 'REVERTED_TO_LAB')"
        [(audited,)] = owner_sql(f"SELECT count(*) FROM {table} WHERE bot_id = %s AND {event_type}", bot_id)
        assert audited <= 1, "one that was asked for once is audited once"
    sessions = owner_sql("SELECT count(*) FROM backtest_sessions WHERE bot_id = %s AND status = 'COMPLETED'", bot_id)
    assert sessions == [(int(statuses[-1][0] == "COMPLETED"),)], (where, statuses)
    return points


def _recover(tx: Transactions, owner_sql: OwnerSql, bot_id: UUID) -> None:
    """What happens by itself: the client asks again, leases run out, pauses end, another worker comes."""
    if not owner_sql("SELECT 1 FROM bot_jobs WHERE bot_id = %s", bot_id):
        enqueue(tx, bot_id)
    while owner_sql("SELECT 1 FROM bot_jobs WHERE status IN ('QUEUED', 'RUNNING')"):
        owner_sql("UPDATE bot_jobs SET lease_expires_at = now() - interval '1 s' WHERE status = 'RUNNING'")
        reap_lost_leases(tx, actor="test")
        owner_sql("UPDATE bot_jobs SET not_before = now() WHERE status = 'QUEUED'")
        held = claim(tx)
        if held is not None:
            complete(tx, held)


def _last_status(owner_sql: OwnerSql) -> str:
    [(status,)] = owner_sql("SELECT status FROM bot_jobs ORDER BY id DESC LIMIT 1")
    return str(status)
