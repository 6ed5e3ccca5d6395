"""A request for jobs of several bots gets one outcome a bot, whichever worker did its job, or the reason for none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from fleet.caps import BACKTESTS, Caps
from fleet.closed_sets import BacktestKind, JobStatus, JobType
from fleet.jobs import JobReason
from services.bots.change import archive_bot
from services.jobs.cancel import cancel_job
from services.jobs.enqueue import enqueue_job
from services.jobs.plan import Claim
from services.jobs.read import get_job
from services.jobs.reaper import fail_jobs_of_dead_runs
from services.jobs.terms import GradeTerms
from services.jobs.wait import Waiter
from sql.engine import Transactions
from sql.queries.jobs import finish as finish_queries
from sql.queries.jobs.finish import Ending
from sql.tables.jobs import BotJob
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql

TERMS = replace(GradeTerms(), caps=Caps(100, 100, 100), wait_elsewhere_s=30.0)


@dataclass(frozen=True)
class Done:
    """An outcome. how: who reported it."""

    bot_id: UUID
    status: JobStatus
    how: str
    job_id: UUID | None = None
    error: str = ""
    fix: str = ""


@dataclass
class Backtests:
    """Backtests, of which nothing is known but how they ended."""

    job_types: frozenset[JobType] = BACKTESTS
    at_once: int = 2
    verb: str = "grade"
    before: Mapping[UUID, UUID] = field(default_factory=dict)

    def ended_before(self, session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BotJob]:
        return {bot_id: get_job(session, self.before[bot_id]) for bot_id in bot_ids if bot_id in self.before}

    def enqueue(self, session: Session, bot_id: UUID) -> UUID:
        return enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")

    def outcome(self, session: Session, job: BotJob) -> Done:  # noqa: ARG002 - the port's signature
        return Done(job.bot_id, JobStatus(job.status), "elsewhere", job.id)

    def refused(self, session: Session, job: BotJob, error: GantryError) -> Done:  # noqa: ARG002 - the same
        return Done(job.bot_id, JobStatus.CANCELED, "refused", job.id, error.code)

    def late(self, bot_id: UUID, job_id: UUID, error: GantryError) -> Done:
        return Done(bot_id, JobStatus.RUNNING, "late", job_id, error.message, error.fix)


@dataclass
class Worker:
    """Completes what it is given, after what is to happen at its first turn."""

    tx: Transactions
    chunks: list[list[UUID]] = field(default_factory=list)

    def __call__(self, claims: Sequence[Claim]) -> Sequence[Done]:
        first = not self.chunks
        self.chunks.append([claim.bot_id for claim in claims])
        if first:
            self.meanwhile()
        with self.tx() as session:
            for claim in claims:
                finish_queries.finish(session, claim.job_id, claim.token, Ending(JobStatus.COMPLETED))
        return [Done(claim.bot_id, JobStatus.COMPLETED, "here", claim.job_id) for claim in claims]

    def meanwhile(self) -> None:
        """What happens elsewhere."""


def waiter(tx: Transactions, wanted: Backtests | None = None, terms: GradeTerms = TERMS) -> Waiter[Done]:
    return Waiter(tx, wanted or Backtests(), terms, run_id="run", actor="test", on_ended=lambda _bot: None)


def test_each_bot_is_reported_once_in_the_requested_order(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bots = [make_bot(name) for name in ("one", "two", "three")]
    with tx() as session:
        there = enqueue_job(session, bots[1], kind=BacktestKind.BASELINE, actor="someone")
    worker, reported = Worker(tx), list[UUID]()
    asked = (bots[2], bots[0], bots[1], bots[2])
    run = Waiter(tx, Backtests(), TERMS, run_id="run", actor="test", on_ended=lambda bot: reported.append(bot.bot_id))
    ended = run.run(asked, worker)
    assert [bot.bot_id for bot in ended] == [bots[2], bots[0], bots[1]]
    assert {(bot.status, bot.how) for bot in ended} == {(JobStatus.COMPLETED, "here")}
    assert ended[2].job_id == there, "the job that waits already is the one"
    assert sorted(reported) == sorted(bots)
    assert [len(chunk) for chunk in worker.chunks] == [2, 1], "as many at once as are wanted"
    assert owner_sql("SELECT count(*), count(run_id) FROM bot_jobs") == [(3, 3)]


def test_an_unknown_or_archived_bot_stops_before_anything_is_done(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    good, gone = make_bot("good"), make_bot("gone")
    with tx() as session:
        archive_bot(session, gone, actor="test", now=NOW)
    for other, code in ((UUID(int=2**128 - 1), ErrorCode.NOT_FOUND), (gone, ErrorCode.CONFLICT)):
        with pytest.raises(GantryError) as refused:
            waiter(tx).run([good, other], Worker(tx))
        assert refused.value.code is code
    assert owner_sql("SELECT count(*) FROM bot_jobs") == [(0,)]


def test_a_job_that_ended_before_and_will_do_is_the_outcome(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bot_id = make_bot()
    (first,) = waiter(tx).run([bot_id], Worker(tx))
    assert first.job_id is not None
    again = waiter(tx, Backtests(before={bot_id: first.job_id})).run([bot_id], Worker(tx))
    assert again == (Done(bot_id, JobStatus.COMPLETED, "elsewhere", first.job_id),)
    assert owner_sql("SELECT count(*) FROM bot_jobs") == [(1,)]


def test_a_job_whose_lease_was_lost_is_followed_to_its_retry(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bot_id = make_bot()

    class Loser(Worker):
        def __call__(self, claims: Sequence[Claim]) -> Sequence[Done]:
            if self.chunks:
                return super().__call__(claims)
            self.chunks.append([claim.bot_id for claim in claims])
            fail_jobs_of_dead_runs(tx, ["run"], actor="test")
            owner_sql("UPDATE bot_jobs SET not_before = NULL WHERE status = 'QUEUED'")
            return [Done(bot_id, JobStatus.TIMEOUT, "lost")]

    (ended,) = waiter(tx).run([bot_id], Loser(tx))
    assert (ended.status, ended.how) == (JobStatus.COMPLETED, "here")
    assert owner_sql("SELECT attempt, status FROM bot_jobs ORDER BY attempt") == [(1, "FAILED"), (2, "COMPLETED")]


def other_job(tx: Transactions, bot_id: UUID) -> UUID:
    with tx() as session:
        return enqueue_job(session, bot_id, kind=None, actor="test", job_type=JobType.EVOLVE)


def test_a_job_of_another_type_is_waited_for_and_the_wanted_one_comes_behind_it(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    free, busy = make_bot("free"), make_bot("busy")
    in_the_way = other_job(tx, busy)

    class Canceling(Worker):
        def meanwhile(self) -> None:
            with tx() as session:
                stop = JobReason.CANCELED_BY_PERSON
                assert cancel_job(session, get_job(session, in_the_way), reason=stop, actor="test")

    worker = Canceling(tx)
    ended = waiter(tx).run([busy, free], worker)
    assert [(bot.bot_id, bot.status, bot.how) for bot in ended] == [
        (bot_id, JobStatus.COMPLETED, "here") for bot_id in (busy, free)
    ]
    assert worker.chunks == [[free], [busy]]
    types = owner_sql("SELECT job_type, status FROM bot_jobs WHERE bot_id = %s ORDER BY created_at", busy)
    assert types == [("EVOLVE", "CANCELED"), ("BACKTEST", "COMPLETED")]


def test_a_bot_that_is_archived_behind_a_job_of_another_type_is_refused_alone(
    tx: Transactions, make_bot: MakeBot
) -> None:
    free, busy = make_bot("free"), make_bot("busy")
    in_the_way = other_job(tx, busy)

    class Archiving(Worker):
        def meanwhile(self) -> None:
            with tx() as session:
                archive_bot(session, busy, actor="test", now=NOW)

    ended = waiter(tx).run([busy, free], Archiving(tx))
    assert ended[0] == Done(busy, JobStatus.CANCELED, "refused", in_the_way, ErrorCode.CONFLICT)
    assert (ended[1].bot_id, ended[1].how) == (free, "here")


def test_waiting_has_an_end_that_says_what_to_look_at(tx: Transactions, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    job_id = other_job(tx, bot_id)
    (ended,) = waiter(tx, terms=replace(TERMS, wait_elsewhere_s=0.0)).run([bot_id], Worker(tx))
    assert (ended.how, ended.job_id) == ("late", job_id)
    assert ended.error == f"Job {job_id} did not end within 0 s of waiting."
    assert ended.fix == "Check that job's run and the caps; grade the bot again when it has ended."
