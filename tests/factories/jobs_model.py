"""What the jobs' machine knows: the model, the connections of everyone at work, and what each step leaves behind."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.errors import GantryError, Kind
from fleet.caps import Caps
from services.backtests.write import write_completed
from services.jobs.claim import claim_chunk
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from services.jobs.reaper import ReapReport
from services.proof.invariants import check_invariants
from sql.engine import Transactions
from tests.factories.databases import OwnerSql
from tests.factories.graded import tiny_graded

BOTS, CAP = 5, 3
CAPS = Caps(max_backtests_running=CAP)
TERMS = LeaseTerms(lease_s=600)  # over when the machine says so, never because a step took long
T = TypeVar("T")
TABLES = (
    "activity_events, autonomy_scores, backtest_sessions, bot_equity_curve, bot_jobs, bot_metrics_rollups, "
    "bot_improvements, improvement_progress, job_run_events, system_events, trade_logs"
)
RAW = """
    SELECT 'session', id, 0, md5(s::text) FROM backtest_sessions s
    UNION ALL SELECT 'trade', session_id, seq, md5(t::text) FROM trade_logs t
    UNION ALL SELECT 'day', session_id, seq, md5(e::text) FROM bot_equity_curve e
    UNION ALL SELECT 'reset', id, 0, md5(r::text) FROM bot_metrics_events r
"""
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
    bots: Sequence[UUID]
    steps: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def terminate(self, pid: int) -> None:
        """Cut a connection from the server's side, and wait until it is gone."""
        self.superuser.execute("SELECT pg_terminate_backend(%s)", (pid,))
        while self.superuser.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).rowcount:
            time.sleep(0.001)


@dataclass(slots=True)
class Slow:
    """A transaction that someone has left open: what it holds, and what becomes true once it is committed."""

    transaction: AbstractContextManager[Session]
    pid: int
    jobs: frozenset[UUID]
    committed: Callable[[], None]


class JobsModel:
    """What has been reported so far; it changes by reports alone."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[UUID, Job] = {}
        self.claims: list[Claim] = []
        self.slow: Slow | None = None
        self.raw: dict[tuple[object, ...], str] = {}

    def check(self, *, quiet: bool = False) -> None:
        raw = {(table, *key): digest for table, *key, digest in self.world.owner(RAW)}
        assert raw.items() >= self.raw.items(), "what was once written is never changed and never gone"
        self.raw = raw
        with self.world.rescue() as session:
            assert check_invariants(session, quiet=quiet) == ()

    def active(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status in {"QUEUED", "RUNNING"}]

    def running(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status == "RUNNING"]

    def waiting(self) -> list[Job]:
        return [job for job in self.active() if job.status == "QUEUED" and job.due]

    def is_held(self, held: Claim) -> bool:
        return self.jobs[held.job_id].token == held.token

    def fingerprint(self) -> Sequence[tuple[Any, ...]]:
        return self.world.owner(FINGERPRINT)

    def is_blocked(self, error: GantryError) -> bool:
        blocked = self.slow is not None and error.kind is Kind.UNAVAILABLE
        self.world.seen["blocked"] += blocked
        return blocked

    def perform(self, tx: Transactions, act: Callable[[Session], T]) -> T | None:
        """Act and commit; None when an open transaction was in the way."""
        try:
            with tx() as session:
                return act(session)
        except GantryError as error:
            if not self.is_blocked(error):
                raise
            return None

    def meant(self, which: Collection[int]) -> tuple[UUID, ...] | None:
        """Those bots; none named means all."""
        return tuple(self.world.bots[number] for number in which) or None

    def in_bulk(
        self, act: Callable[[Session], object], which: Collection[int], what: str, *, cancels: bool, dry_run: bool
    ) -> None:
        """Do something to several bots at once: whole, or not at all where an open transaction is in the way."""
        before = self.fingerprint()
        if self.perform(self.world.rescue, act) is None:
            return
        self.world.seen[what] += 1
        if dry_run:
            assert self.fingerprint() == before, "a dry run changes nothing"
        elif cancels:
            meant = self.meant(which) or tuple(self.world.bots)
            for job in self.active():
                if job.bot_id in meant:
                    self.end(job, "CANCELED")

    def take(self, session: Session, worker: int, most: int) -> tuple[Claim, ...]:
        due = sorted(job.id for job in self.waiting())
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
            self.world.seen["claimed"] += 1

    def end(self, job: Job, status: str, *, retried: bool = False) -> None:
        self.jobs[job.id] = replace(job, status=status, token=None, expired=False, overdue=False)
        self.world.seen[status] += 1
        if retried and job.attempt < job.most:
            # Its pause ends when the machine says so, however long the steps until then take.
            [(job_id,)] = self.world.owner(
                "UPDATE bot_jobs SET not_before = not_before + interval '1 h' "
                "WHERE root_job_id = %s AND attempt = %s AND not_before > created_at RETURNING id",
                job.root,
                job.attempt + 1,
            )
            self.world.seen["retried"] += 1
            self.jobs[job_id] = Job(job_id, job.bot_id, job.root, job.attempt + 1, job.most, due=False)

    def lost(self, is_lost: Callable[[Job], bool]) -> list[Job]:
        """Jobs that rescue must end: all that are lost, but for those someone is at work on at this moment."""
        locked = self.slow.jobs if self.slow else frozenset()
        return [job for job in self.running() if is_lost(job) and job.id not in locked]

    def rescued(self, lost: Sequence[Job], report: ReapReport, status: str) -> None:
        assert sorted(report.timed_out) == sorted(job.id for job in lost)
        for job in lost:
            self.end(job, status, retried=True)
        assert len(report.retried) == sum(job.attempt < job.most for job in lost)
        assert set(report.retried) <= self.jobs.keys()

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


def write(session: Session, chunk: Sequence[Claim], hours_off: int = 0) -> frozenset[UUID]:
    now = utc_now() + timedelta(hours=hours_off)
    return write_completed(session, [tiny_graded(held) for held in chunk], run_id=None, now=now)
