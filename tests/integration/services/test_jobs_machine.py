"""Whatever workers, rescuers, people and clocks do, in whatever order, jobs stay what the model says they are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.errors import ErrorCode, GantryError, Kind
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, JobStatus
from fleet.jobs import ACTIVE, JobReason
from services import bots, grade_writes, jobs, ledger
from services.bots import NewBot
from services.claims import claim_chunk
from services.heartbeat import LeaseTerms
from services.invariants import check_invariants
from services.jobs import Claim
from services.reaper import Reaper, ReapReport, fail_jobs_of_dead_runs, reap_lost_leases
from sql.embedded import RunningState
from sql.embedded_folder import password
from sql.engine import Transactions, connect, transactions
from sql.queries import claims as queries
from sql.tables.jobs import BotJob
from tests.conftest import OwnerSql
from tests.factories.graded import tiny_graded

BOTS, CAP = 5, 3
CAPS = Caps(max_backtests_running=CAP)
TERMS = LeaseTerms()
RETRYABLE = GantryError(ErrorCode.RUN_FAILED, "The run broke.", fix="None.")
PERMANENT = GantryError(ErrorCode.STRATEGY_ERROR, "It divides by 0.", fix="Mend it.")
# Someone else's open transaction is waited for this long: what it blocks is refused and changes nothing.
LOCK_TIMEOUT = "-clock_timeout=20ms"
CHECK_EVERY = 6
EXAMPLES, STEPS = 50, 50
T = TypeVar("T")
ANY = st.integers(0, 1_000)
TABLES = (
    "activity_events, autonomy_scores, backtest_sessions, bot_boundaries, bot_equity_curve, bot_jobs, "
    "bot_metrics_rollups, bot_stage_events, bot_versions, bots, job_run_events, system_events, trade_logs"
)
FINGERPRINT = """
    SELECT md5(string_agg(j::text, '' ORDER BY id)) FROM bot_jobs j
    UNION ALL SELECT concat_ws(' ', (SELECT count(*) FROM job_run_events), (SELECT count(*) FROM backtest_sessions),
      (SELECT count(*) FROM trade_logs), (SELECT count(*) FROM bot_equity_curve),
      (SELECT count(*) FROM activity_events),
      (SELECT md5(string_agg(r::text, '' ORDER BY bot_id)) FROM bot_metrics_rollups r))
"""


@dataclass(frozen=True, slots=True)
class Job:
    """What the model knows of a job. due: a retry's pause is over. expired: its lease is. overdue: its time is."""

    id: UUID
    bot_id: UUID
    root: UUID
    attempt: int
    most: int
    status: str = "QUEUED"
    token: UUID | None = None
    run: str | None = None
    due: bool = True
    expired: bool = False
    overdue: bool = False

    @property
    def late(self) -> bool:
        return self.status == "RUNNING" and (self.expired or self.overdue)


@dataclass(slots=True)
class World:
    """The database the machine runs on, and connections of everyone who works on it."""

    workers: tuple[Transactions, Transactions]
    engines: tuple[Engine, Engine]
    rescue: Transactions
    owner: OwnerSql
    superuser: psycopg.Connection[tuple[Any, ...]]
    steps: int = 0


@dataclass(slots=True)
class Slow:
    """A transaction that someone has left open: what it holds, and what becomes true once it is committed."""

    transaction: AbstractContextManager[Session]
    pid: int
    jobs: frozenset[UUID]
    committed: Callable[[], None]


class JobsMachine(RuleBasedStateMachine):
    """Rules are what may happen at any moment; the model changes only by what was reported."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[UUID, Job] = {}
        self.claims: list[Claim] = []
        self.slow: Slow | None = None
        self.bots: list[UUID] = []

    @initialize()
    def start(self) -> None:
        self.world.superuser.execute(
            f"SET session_replication_role = replica; TRUNCATE {TABLES}; RESET session_replication_role".encode()
        )
        with self.world.workers[0]() as session:
            self.bots = [
                bots.create(session, NewBot(str(n), "ES", "sma_cross"), actor="test", now=utc_now())
                for n in range(BOTS)
            ]

    # People.

    @rule(which=st.integers(0, BOTS - 1), most=st.integers(1, 3))
    def enqueue(self, which: int, most: int) -> None:
        bot_id = self.bots[which]

        def ask(session: Session) -> UUID:
            return jobs.enqueue(session, bot_id, kind=BacktestKind.MANUAL, actor="test", max_attempts=most)

        if any(job.bot_id == bot_id for job in self.active()):
            with pytest.raises(GantryError) as refused, self.world.rescue() as session:
                ask(session)
            assert refused.value.code is ErrorCode.CONFLICT or self.blocked(refused.value)
            return
        job_id = self.perform(self.world.rescue, ask)
        if job_id is not None:
            self.jobs[job_id] = Job(job_id, bot_id, job_id, 1, most)

    @rule(which=ANY)
    @precondition(lambda self: self.jobs)
    def cancel(self, which: int) -> None:
        job = pick(list(self.jobs.values()), which)
        done = self.perform(self.world.rescue, lambda session: cancel(session, job.id))
        if done is None:
            return
        assert done == (job.status in {"QUEUED", "RUNNING"})
        if done:
            self.end(job, "CANCELED")

    @rule(which=st.integers(0, BOTS - 1))
    def reset(self, which: int) -> None:
        raised = "UPDATE bot_boundaries SET epoch = epoch + 1 WHERE bot_id = :id"
        self.perform(self.world.rescue, lambda session: session.execute(text(raised), {"id": self.bots[which]}))

    # Workers.

    @rule(worker=st.integers(0, 1), most=st.integers(1, 4))
    def claim(self, worker: int, most: int) -> None:
        taken = self.perform(self.world.workers[worker], lambda session: self.take(session, worker, most))
        self.hold(taken or (), worker)

    @rule(worker=st.integers(0, 1), which=ANY, progress=st.sampled_from([None, 0.0, 0.5, 1.0]))
    @precondition(lambda self: self.claims)
    def heartbeat(self, worker: int, which: int, progress: float | None) -> None:
        held = pick(self.claims, which)
        engine = self.world.engines[worker].execution_options(isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                kept = queries.renew(
                    connection, {held.job_id: held.token}, lease_s=30, timeout_ms=3_000, progress=progress
                )
        except OperationalError:
            assert self.slow, "only an open transaction may be in the way"
            return
        assert kept == ({held.job_id} if self.is_held(held) else set())
        if kept:
            self.jobs[held.job_id] = replace(self.jobs[held.job_id], expired=False)

    @rule(worker=st.integers(0, 1), which=st.lists(ANY, min_size=1, max_size=4), hours_off=st.sampled_from([0, 1, -1]))
    @precondition(lambda self: self.claims)
    def complete(self, worker: int, which: Sequence[int], hours_off: int) -> None:
        chunk = list({held.job_id: held for held in (pick(self.claims, n) for n in which)}.values())
        live = [held for held in chunk if self.is_held(held)]
        before = None if live else self.fingerprint()
        done = self.perform(self.world.workers[worker], lambda session: write(session, chunk, hours_off))
        if done is not None:
            assert set(done) == {held.job_id for held in live}, "all that is held, and nothing else, is written"
            for held in live:
                self.end(self.jobs[held.job_id], "COMPLETED")
        if before is not None:
            assert self.fingerprint() == before, "a stale worker changes nothing"

    @rule(worker=st.integers(0, 1), which=ANY, error=st.sampled_from([RETRYABLE, PERMANENT]))
    @precondition(lambda self: self.claims)
    def fail(self, worker: int, which: int, error: GantryError) -> None:
        held = pick(self.claims, which)

        def give_up(session: Session) -> UUID:
            return grade_writes.write_failed(session, held, None, error, run_id=None, now=utc_now())

        if not self.is_held(held):
            before = self.fingerprint()
            with pytest.raises(GantryError) as refused, self.world.workers[worker]() as session:
                give_up(session)
            assert refused.value.code is ErrorCode.HEARTBEAT_TIMEOUT or self.blocked(refused.value)
            assert self.fingerprint() == before, "a stale worker changes nothing"
        elif self.perform(self.world.workers[worker], give_up) is not None:
            self.end(self.jobs[held.job_id], "FAILED", retried=error is RETRYABLE)

    # Rescue.

    @rule()
    def reap(self) -> None:
        self.rescued(lambda: reap_lost_leases(self.world.rescue, actor="test"), "TIMEOUT", lambda job: job.late)

    @rule(worker=st.integers(0, 1))
    def dead_run(self, worker: int) -> None:
        run = str(worker)
        self.rescued(
            lambda: fail_jobs_of_dead_runs(self.world.rescue, [run], actor="test"),
            "FAILED",
            lambda job: job.status == "RUNNING" and job.run == run,
        )

    # Time.

    @rule(which=ANY)
    @precondition(lambda self: self.running())
    def expire(self, which: int) -> None:
        self.age(pick(self.running(), which), expired=True)

    @rule(which=ANY)
    @precondition(lambda self: self.running())
    def hang(self, which: int) -> None:
        self.age(pick(self.running(), which), overdue=True)

    @rule()
    def pauses_end(self) -> None:
        for job in self.active():
            if not job.due and self.change(job, "not_before = clock_timestamp()"):
                self.jobs[job.id] = replace(job, due=True)

    @rule(hours=st.sampled_from([1, -1]))
    @precondition(lambda self: self.slow is None)
    def clock_jump(self, hours: int) -> None:
        """The database's clock jumps between two ticks: leases look over, or endless; none may be reaped for it."""
        reaper = Reaper(TERMS.lease_s)
        self.rescued(lambda: reaper.tick(self.world.rescue, actor="test"), "TIMEOUT", lambda job: job.late)
        assert reaper._seen is not None
        then, here = reaper._seen
        reaper._seen = (then - timedelta(hours=hours), here)
        for job in self.running():
            self.change(job, f"lease_expires_at = lease_expires_at - interval '{hours} h'")
        report = reaper.tick(self.world.rescue, actor="test")
        assert report == ReapReport(rearmed=len(self.running()))
        for job in self.running():
            self.jobs[job.id] = replace(job, expired=False)

    # Transactions left open while others go on, then committed or lost with their connection.

    @rule(worker=st.integers(0, 1), most=st.integers(1, 4))
    @precondition(lambda self: self.slow is None)
    def claim_slowly(self, worker: int, most: int) -> None:
        self.leave_open(
            worker,
            lambda session: self.take(session, worker, most),
            lambda taken: frozenset(held.job_id for held in taken),
            lambda taken: self.hold(taken, worker),
        )

    @rule(worker=st.integers(0, 1), which=ANY)
    @precondition(lambda self: self.slow is None and self.running())
    def complete_slowly(self, worker: int, which: int) -> None:
        held = pick([held for held in self.claims if self.is_held(held)], which)
        self.leave_open(
            worker,
            lambda session: write(session, [held]),
            lambda _done: frozenset({held.job_id}),
            lambda _done: self.end(self.jobs[held.job_id], "COMPLETED"),
        )

    @rule()
    @precondition(lambda self: self.slow is not None)
    def commit(self) -> None:
        assert self.slow is not None
        slow, self.slow = self.slow, None
        slow.transaction.__exit__(None, None, None)
        slow.committed()

    @rule()
    @precondition(lambda self: self.slow is not None)
    def lose_connection(self) -> None:
        assert self.slow is not None
        slow, self.slow = self.slow, None
        self.world.superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (slow.pid,))
        with pytest.raises(GantryError) as lost:
            slow.transaction.__exit__(None, None, None)
        assert lost.value.kind is Kind.UNAVAILABLE

    # What must hold.

    @invariant()
    def the_database_is_what_was_reported(self) -> None:
        self.world.steps += 1
        stored = self.world.owner("SELECT id, bot_id, root_job_id, attempt, status, lease_token FROM bot_jobs")
        known = [(job.id, job.bot_id, job.root, job.attempt, job.status, job.token) for job in self.jobs.values()]
        assert sorted(stored) == sorted(known, key=lambda row: row[0])
        assert len(self.running()) <= CAP
        if self.world.steps % CHECK_EVERY == 0:
            self.check()

    def teardown(self) -> None:
        """Let the fault heal: everything that was acknowledged comes to its end without a person."""
        if self.slow is not None:
            self.commit()
        for _ in range(4 * BOTS):
            if not self.active():
                break
            self.pauses_end()
            for job in self.running():
                self.age(job, expired=True)
            self.reap()
            self.pauses_end()
            self.claim(0, CAP)
            if live := [held for held in self.claims if self.is_held(held)]:
                self.complete(1, [self.claims.index(held) for held in live], 0)
        self.check(quiet=True)
        [(sessions,)] = self.world.owner("SELECT count(*) FROM backtest_sessions WHERE status = 'COMPLETED'")
        assert sessions == sum(job.status == "COMPLETED" for job in self.jobs.values())

    def check(self, *, quiet: bool = False) -> None:
        with self.world.rescue() as session:
            assert check_invariants(session, quiet=quiet) == ()

    # The model.

    def active(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status in {"QUEUED", "RUNNING"}]

    def running(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status == "RUNNING"]

    def is_held(self, held: Claim) -> bool:
        return self.jobs[held.job_id].token == held.token

    def fingerprint(self) -> Sequence[tuple[Any, ...]]:
        return self.world.owner(FINGERPRINT)

    def blocked(self, error: GantryError) -> bool:
        return self.slow is not None and error.kind is Kind.UNAVAILABLE

    def perform(self, tx: Transactions, act: Callable[[Session], T]) -> T | None:
        """Act and commit; None when an open transaction was in the way."""
        try:
            with tx() as session:
                return act(session)
        except GantryError as error:
            if not self.blocked(error):
                raise
            return None

    def take(self, session: Session, worker: int, most: int) -> tuple[Claim, ...]:
        due = sorted(job.id for job in self.active() if job.status == "QUEUED" and job.due)
        room = max(0, min(most, CAP - len(self.running())))
        taken = claim_chunk(session, caps=CAPS, most=most, terms=TERMS, run_id=str(worker))
        assert [held.job_id for held in taken] == due[:room], "the oldest that are due, as many as the caps leave"
        return taken

    def hold(self, taken: Sequence[Claim], worker: int) -> None:
        for held in taken:
            self.jobs[held.job_id] = replace(
                self.jobs[held.job_id], status="RUNNING", token=held.token, run=str(worker)
            )
            self.claims.append(held)

    def end(self, job: Job, status: str, *, retried: bool = False) -> None:
        self.jobs[job.id] = replace(job, status=status, token=None, expired=False, overdue=False)
        if retried and job.attempt < job.most:
            [(job_id,)] = self.world.owner(
                "SELECT id FROM bot_jobs WHERE root_job_id = %s AND attempt = %s", job.root, job.attempt + 1
            )
            self.jobs[job_id] = Job(job_id, job.bot_id, job.root, job.attempt + 1, job.most, due=False)

    def rescued(self, act: Callable[[], ReapReport], status: str, is_lost: Callable[[Job], bool]) -> None:
        """All that are lost are ended, but for those someone is at work on at this moment."""
        locked = self.slow.jobs if self.slow else frozenset()
        lost = [job for job in self.running() if is_lost(job) and job.id not in locked]
        report = act()
        assert sorted(report.timed_out) == sorted(job.id for job in lost)
        for job in lost:
            self.end(job, status, retried=True)
        retries = [job.id for job in self.jobs.values() if job.id in report.retried]
        assert len(retries) == len(report.retried) == sum(job.attempt < job.most for job in lost)

    def age(self, job: Job, *, expired: bool = False, overdue: bool = False) -> None:
        if expired and self.change(job, "lease_expires_at = clock_timestamp() - interval '1 s'"):
            self.jobs[job.id] = replace(job, expired=True)
        if overdue and self.change(job, "started_at = started_at - interval '31 min'"):
            self.jobs[job.id] = replace(job, overdue=True)

    def change(self, job: Job, what: str) -> bool:
        """Change a job's times behind everyone's back; False when an open transaction was in the way."""
        try:
            return bool(self.world.owner(f"UPDATE bot_jobs SET {what} WHERE id = %s RETURNING id", job.id))
        except psycopg.errors.LockNotAvailable:
            assert self.slow, "only an open transaction may be in the way"
            return False

    def leave_open(
        self,
        worker: int,
        act: Callable[[Session], T],
        holds: Callable[[T], frozenset[UUID]],
        committed: Callable[[T], None],
    ) -> None:
        transaction = self.world.workers[worker]()
        session = transaction.__enter__()
        try:
            done = act(session)
        except BaseException as error:
            transaction.__exit__(type(error), error, error.__traceback__)
            raise
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        self.slow = Slow(transaction, pid, holds(done), lambda: committed(done))


def pick(choices: Sequence[T], which: int) -> T:
    return choices[which % len(choices)]


def write(session: Session, chunk: Sequence[Claim], hours_off: int = 0) -> Mapping[UUID, UUID]:
    now = utc_now() + timedelta(hours=hours_off)
    return grade_writes.write_completed(session, [tiny_graded(held) for held in chunk], run_id=None, now=now)


def cancel(session: Session, job_id: UUID) -> bool:
    """As `services.jobs` will: guarded by the state it saw, its ledger row in the same transaction."""
    job = session.get(BotJob, job_id, with_for_update=True, populate_existing=True)
    if job is None or job.status not in ACTIVE:
        return False
    old = JobStatus(job.status)
    job.status, job.completed_at, job.lease_token, job.lease_expires_at = JobStatus.CANCELED, utc_now(), None, None
    session.flush()
    ledger.record(session, job_id, old, JobStatus.CANCELED, JobReason.CANCELED_BY_PERSON, {})
    return True


@pytest.fixture
def world(database: RunningState, owner_sql: OwnerSql, cluster_folder: Path) -> Iterator[World]:
    owner_sql("SET lock_timeout = '20ms'")
    url = make_url(database.app_url)
    engines = [connect(url.update_query_dict({"options": LOCK_TIMEOUT}).render_as_string(False)) for _ in range(3)]
    secret = make_url(database.owner_url).set(username="postgres", password=password(cluster_folder, "superuser"))
    with psycopg.connect(secret.render_as_string(False), autocommit=True) as superuser:
        first, second, third = (transactions(engine) for engine in engines)
        yield World((first, second), (engines[0], engines[1]), third, owner_sql, superuser)
    for engine in engines:
        engine.dispose()


def test_whatever_happens_in_whatever_order_jobs_stay_what_they_should_be(world: World) -> None:
    JobsMachine.world = world
    run_state_machine_as_test(
        JobsMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert world.steps >= 2_000, "what isn't tried isn't tested"
