"""Jobs stay as the model predicts, for any order of actions by workers, rescuers, people and clocks."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
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
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.errors import ErrorCode, GantryError, Kind
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, MetricsScope, TickCause
from fleet.jobs import JobReason
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from fleet.resets import asks_for_baseline
from fleet.roles import PLANNER, Caller, Role
from services.backtests.write import write_failed
from services.bots.change import archive_bot
from services.bots.create import NewBot, create_bot
from services.jobs.cancel import cancel_job
from services.jobs.enqueue import enqueue_job
from services.jobs.plan import Claim
from services.jobs.read import get_job
from services.jobs.reaper import Reaper, ReapReport, fail_jobs_of_dead_runs, reap_lost_leases
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from services.promotion import decide
from services.resets.reset import ResetRequest, reset_metrics
from services.resets.revert import RevertReport, revert_to_lab
from sql.embedded import RunningState
from sql.embedded_folder import password
from sql.engine import connect, transactions
from sql.queries.jobs import lease as queries
from tests.factories.databases import OwnerSql
from tests.factories.jobs_model import BOTS, CAP, TABLES, TERMS, Job, JobsModel, World, pick, write

# Someone else's open transaction is waited for this long: what it blocks is refused and changes nothing.
LOCK_TIMEOUT = "-clock_timeout=5ms"
RETRYABLE = GantryError(ErrorCode.RUN_FAILED, "The run broke.", fix="None.")
PERMANENT = GantryError(ErrorCode.STRATEGY_ERROR, "It divides by 0.", fix="Fix it.")
CHECK_EVERY = 10
EXAMPLES, STEPS = 60, 60
SEEN = (
    *("claimed", "COMPLETED", "FAILED", "TIMEOUT", "CANCELED", "retried"),
    *("reset", "reverted", "planned"),
    *("stale", "blocked", "committed late", "connections lost", "rearmed"),
)
ANY = st.integers(0, 1_000)
HELD_BACK = (ErrorCode.STAGE_LOCKED, ErrorCode.PROMOTION_MANUAL, ErrorCode.GATE_NOT_MET)
PLANNED = PlannerTerms(PlannerCaps(Caps(CAP, 0, CAP)), Suppliers("anybody", can=True))


class JobsMachine(JobsModel, RuleBasedStateMachine):
    """Rules are what may happen at any moment; the model changes only by what was reported."""

    @initialize(locked=st.sampled_from([True, False, False, False]))
    def start(self, *, locked: bool) -> None:
        self.world.superuser.execute(
            f"SET session_replication_role = replica; TRUNCATE {TABLES}; RESET session_replication_role".encode()
        )
        until = "now() + interval '1 day'" if locked else "NULL"
        self.world.owner(f"UPDATE bots SET stage_locked_until = {until}")
        for which in range(BOTS):
            self.enqueue(which, 3)

    # People.

    @rule(which=st.integers(0, BOTS - 1), most=st.integers(1, 3))
    @precondition(lambda self: len(self.active()) < BOTS)
    def enqueue(self, which: int, most: int) -> None:
        bot_id = self.world.bots[which]

        def ask(session: Session) -> UUID:
            return enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test", max_attempts=most)

        if any(job.bot_id == bot_id for job in self.active()):
            with pytest.raises(GantryError) as refused, self.world.rescue() as session:
                ask(session)
            assert refused.value.code is ErrorCode.CONFLICT or self.is_blocked(refused.value)
            return
        job_id = self.perform(self.world.rescue, ask)
        if job_id is not None:
            self.jobs[job_id] = Job(job_id, bot_id, job_id, 1, most)

    @rule(which=ANY, ended=st.booleans())
    @precondition(lambda self: self.active())
    def cancel(self, which: int, *, ended: bool) -> None:
        job = pick(list(self.jobs.values()) if ended else self.active(), which)
        stop = JobReason.CANCELED_BY_PERSON
        done = self.perform(
            self.world.rescue,
            lambda session: cancel_job(session, get_job(session, job.id), reason=stop, actor="test"),
        )
        if done is None:
            return
        assert done == (job.status in {"QUEUED", "RUNNING"})
        if done:
            self.end(job, "CANCELED")

    @rule(which=st.integers(0, BOTS - 1))
    @precondition(lambda self: self.running())
    def archive(self, which: int) -> None:
        """Archive a bot, and let it come back, so that there is a fleet to go on with."""
        bot_id = self.world.bots[which]
        done = self.perform(
            self.world.rescue, lambda session: archive_bot(session, bot_id, actor="test", now=utc_now())
        )
        if done is not None:
            self.world.owner("UPDATE bots SET archived_at = NULL WHERE id = %s", bot_id)
            for job in self.active():
                if job.bot_id == bot_id:
                    self.end(job, "CANCELED")

    @rule(which=st.sets(st.integers(0, BOTS - 1)), scope=st.sampled_from(MetricsScope), dry_run=st.booleans())
    @precondition(lambda self: self.running())
    def reset(self, which: Collection[int], scope: MetricsScope, *, dry_run: bool) -> None:
        asked = ResetRequest(scope, self.meant(which), "TEST")
        self.in_bulk(
            lambda session: reset_metrics(session, asked, dry_run=dry_run, actor="test", now=utc_now()),
            which,
            "reset",
            cancels=asks_for_baseline(scope),
            dry_run=dry_run,
        )

    @rule(which=st.sets(st.integers(0, BOTS - 1)), dry_run=st.booleans())
    @precondition(lambda self: self.running())
    def revert(self, which: Collection[int], *, dry_run: bool) -> None:
        def act(session: Session) -> RevertReport:
            return revert_to_lab(
                session,
                self.meant(which),
                lock_hours=24,
                reason_code="TEST",
                dry_run=dry_run,
                actor="test",
                now=utc_now(),
            )

        self.in_bulk(act, which, "reverted", cancels=True, dry_run=dry_run)

    @rule(which=st.integers(0, BOTS - 1), by=st.sampled_from([PLANNER, Caller("person", Role.OPERATOR)]))
    @precondition(lambda self: self.running())
    def promote(self, which: int, by: Caller) -> None:
        """Two trades are not enough evidence: in any case, the gates, a lock or the bot's mode hold it back."""
        before = self.fingerprint()
        with pytest.raises(GantryError) as refused, self.world.rescue() as session:
            decide.promote(session, self.world.bots[which], by=by, now=utc_now(), development=True)
        assert refused.value.code in HELD_BACK or self.is_blocked(refused.value)
        assert self.fingerprint() == before
        self.world.seen[refused.value.code] += 1

    # The planner.

    @rule()
    @precondition(lambda self: len(self.active()) < BOTS)
    def tick(self) -> None:
        busy = {job.bot_id for job in self.active()}
        try:
            made = run_tick(self.world.rescue, PLANNED, cause=TickCause.CLOCK)
        except GantryError as error:
            if not self.is_blocked(error):
                raise
            return
        assert made is not None
        assert busy.isdisjoint(job.bot_id for job in made.queued), "nobody gets a second job"
        for job in made.queued:
            root = job.root_job_id or job.id
            self.jobs[job.id] = Job(job.id, job.bot_id, root, job.attempt, PLANNED.max_attempts)
            self.world.seen["planned"] += 1

    # Workers.

    @rule(worker=st.integers(0, 1), most=st.integers(1, 4))
    @precondition(lambda self: self.waiting())
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
            assert done == {held.job_id for held in live}, "all that is held, and nothing else, is written"
            for held in live:
                self.end(self.jobs[held.job_id], "COMPLETED")
        if before is not None:
            assert self.fingerprint() == before, "a stale worker changes nothing"
            self.world.seen["stale"] += 1

    @rule(worker=st.integers(0, 1), which=ANY, error=st.sampled_from([RETRYABLE, PERMANENT]))
    @precondition(lambda self: self.claims)
    def fail(self, worker: int, which: int, error: GantryError) -> None:
        held = pick(self.claims, which)

        def give_up(session: Session) -> UUID:
            return write_failed(session, held, None, error, run_id=None, now=utc_now())

        if not self.is_held(held):
            before = self.fingerprint()
            with pytest.raises(GantryError) as refused, self.world.workers[worker]() as session:
                give_up(session)
            assert refused.value.code is ErrorCode.HEARTBEAT_TIMEOUT or self.is_blocked(refused.value)
            assert self.fingerprint() == before, "a stale worker changes nothing"
            self.world.seen["stale"] += 1
        elif self.perform(self.world.workers[worker], give_up) is not None:
            self.end(self.jobs[held.job_id], "FAILED", retried=error is RETRYABLE)

    # Rescue.

    @rule()
    @precondition(lambda self: self.running())
    def reap(self) -> None:
        lost = self.lost(lambda job: job.late)
        self.rescued(lost, reap_lost_leases(self.world.rescue, actor="test"), "TIMEOUT")

    @rule(worker=st.integers(0, 1))
    @precondition(lambda self: self.running())
    def dead_run(self, worker: int) -> None:
        lost = self.lost(lambda job: job.run == str(worker))
        self.rescued(lost, fail_jobs_of_dead_runs(self.world.rescue, [str(worker)], actor="test"), "FAILED")

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
    @precondition(lambda self: any(not job.due for job in self.active()))
    def pauses_end(self) -> None:
        for job in self.active():
            if not job.due and self.change(job, "not_before = clock_timestamp()"):
                self.jobs[job.id] = replace(job, due=True)

    @rule(hours=st.sampled_from([1, -1]))
    @precondition(lambda self: self.slow is None and self.running())
    def clock_jump(self, hours: int) -> None:
        """The database's clock jumps between two ticks: leases look over, or endless; none may be reaped for it."""
        reaper = Reaper(TERMS.lease_s)
        lost = self.lost(lambda job: job.late)
        self.rescued(lost, reaper.tick(self.world.rescue, actor="test"), "TIMEOUT")
        assert reaper._seen is not None
        then, here = reaper._seen
        reaper._seen = (then - timedelta(hours=hours), here)
        for job in self.running():
            self.change(job, f"lease_expires_at = lease_expires_at - interval '{hours} h'")
        report = reaper.tick(self.world.rescue, actor="test")
        assert report == ReapReport(rearmed=len(self.running()))
        for job in self.running():
            self.jobs[job.id] = replace(job, expired=False)
        self.world.seen["rearmed"] += 1

    # Transactions left open while others go on, then committed or lost with their connection.

    @rule(worker=st.integers(0, 1), which=ANY, most=st.integers(1, 4))
    @precondition(lambda self: self.slow is None and self.active())
    def begin_slowly(self, worker: int, which: int, most: int) -> None:
        held = [one for one in self.claims if self.is_held(one)]
        kinds = [lambda: self.claim_slowly(worker, most)]
        if held:
            kinds.append(lambda: self.complete_slowly(worker, pick(held, which // 3)))
        if self.lost(lambda job: job.late):
            kinds.append(lambda: self.reap_slowly(worker))
        pick(kinds, which)()

    @rule(lost=st.booleans())
    @precondition(lambda self: self.slow is not None)
    def end_slowly(self, *, lost: bool) -> None:
        assert self.slow is not None
        slow, self.slow = self.slow, None
        if not lost:
            slow.transaction.__exit__(None, None, None)
            slow.committed()
            self.world.seen["committed late"] += 1
            return
        self.world.terminate(slow.pid)
        with pytest.raises(GantryError) as gone:
            slow.transaction.__exit__(None, None, None)
        assert gone.value.kind is Kind.UNAVAILABLE
        self.world.seen["connections lost"] += 1

    def claim_slowly(self, worker: int, most: int) -> None:
        self.leave_open(
            worker,
            lambda session: self.take(session, worker, most),
            lambda taken: frozenset(held.job_id for held in taken),
            lambda taken: self.hold(taken, worker),
        )

    def complete_slowly(self, worker: int, held: Claim) -> None:
        self.leave_open(
            worker,
            lambda session: write(session, [held]),
            lambda _done: frozenset({held.job_id}),
            lambda _done: self.end(self.jobs[held.job_id], "COMPLETED"),
        )

    def reap_slowly(self, worker: int) -> None:
        lost = self.lost(lambda job: job.late)
        self.leave_open(
            worker,
            lambda session: reap_lost_leases(lambda: nullcontext(session), actor="test"),
            lambda _report: frozenset(job.id for job in lost),
            lambda report: self.rescued(lost, report, "TIMEOUT"),
        )

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
            self.end_slowly(lost=False)
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


@pytest.fixture
def world(database: RunningState, owner_sql: OwnerSql, cluster_folder: Path) -> Iterator[World]:
    owner_sql("SET lock_timeout = '5ms'")
    url = make_url(database.app_url)
    engines = [connect(url.update_query_dict({"options": LOCK_TIMEOUT}).render_as_string(False)) for _ in range(3)]
    secret = make_url(database.owner_url).set(username="postgres", password=password(cluster_folder, "superuser"))
    with psycopg.connect(secret.render_as_string(False), autocommit=True) as superuser:
        for table in (*TABLES.split(", "), "bots", "bot_boundaries"):  # its locks are none of the machine's
            superuser.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)".encode())
        first, second, third = (transactions(engine) for engine in engines)
        with third() as session:
            fleet = [
                create_bot(session, NewBot(str(n), "ES", "sma_cross"), actor="test", now=utc_now()) for n in range(BOTS)
            ]
        yield World((first, second), (engines[0], engines[1]), third, owner_sql, superuser, fleet)
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
            phases=(Phase.generate,),  # add Phase.shrink to make a failure short: that takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert world.steps >= 2_000
    assert all(world.seen[what] >= 5 for what in SEEN), f"what isn't tried isn't tested: {world.seen}"
    assert all(world.seen[code] for code in HELD_BACK), f"nor is this: {world.seen}"
