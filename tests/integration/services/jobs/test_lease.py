"""A lost worker changes nothing, and its job is tried again without anyone asking."""

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.bot_filter import BotFilter
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, BotState, JobStatus
from fleet.jobs import TRANSITIONS
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.bots.read import all_bots
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.finish import fail_job
from services.jobs.lease import LeaseKeeper, LeaseTerms
from services.jobs.plan import Claim
from services.jobs.read import get_job
from services.jobs.reaper import ReapReport, reap_lost_leases
from services.jobs.terms import GradeTerms
from sql.engine import Transactions
from sql.queries.jobs import finish as queries
from sql.tables.events import SystemEventRow
from sql.tables.jobs import BotJob, JobRunEvent
from sql.tables.results import BacktestSession, TradeLog
from tests.integration.services.conftest import NOW, MakeBot
from trading.bars.schema import Bars
from trading.strategies.base import Decisions, MarketView
from trading.strategies.registry import STRATEGIES
from trading.strategies.sma_cross import SmaCross

SHORT = LeaseTerms(lease_s=0.3, heartbeat_s=0.05)


def enqueue(tx: Transactions, bot_id: UUID, *, max_attempts: int = 3) -> UUID:
    with tx() as session:
        return enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test", max_attempts=max_attempts)


def claim(tx: Transactions, job_id: UUID, terms: LeaseTerms | None = None) -> Claim:
    with tx() as session:
        bot_ids = [get_job(session, job_id).bot_id]
        session.execute(text("UPDATE bot_jobs SET not_before = NULL WHERE id = :id"), {"id": job_id})
        (held,) = claim_chunk(
            session, caps=Caps(), most=1, terms=terms or LeaseTerms(), run_id="run-1", bot_ids=bot_ids
        )
    return held


def expire(tx: Transactions, job_id: UUID) -> None:
    with tx() as session:
        session.execute(
            text("UPDATE bot_jobs SET lease_expires_at = clock_timestamp() - interval '1 s' WHERE id = :id"),
            {"id": job_id},
        )


def statuses(tx: Transactions) -> list[tuple[int, str]]:
    with tx() as session:
        rows = session.execute(select(BotJob.attempt, BotJob.status).order_by(BotJob.attempt))
        return [(attempt, status) for attempt, status in rows]


def assert_soon(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up_at
        threading.Event().wait(0.01)


def test_a_bot_has_one_active_job(tx: Transactions, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    job_id = enqueue(tx, bot_id)
    with pytest.raises(GantryError) as refused:
        enqueue(tx, bot_id)
    assert refused.value.code is ErrorCode.CONFLICT
    assert refused.value.facts == {"job_id": str(job_id), "status": "QUEUED"}


def test_of_many_enqueues_at_once_one_wins(tx: Transactions, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    codes: list[str] = []

    def ask() -> None:
        try:
            enqueue(tx, bot_id)
            codes.append("queued")
        except GantryError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["CONFLICT"] * 7 + ["queued"]


def test_of_many_claims_at_once_one_wins(tx: Transactions, make_bot: MakeBot) -> None:
    enqueue(tx, make_bot())
    won: list[bool] = []

    def take() -> None:
        with tx() as session:
            won.append(bool(claim_chunk(session, caps=Caps(), most=1, terms=LeaseTerms(), run_id=None)))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_a_lost_lease_times_out_and_the_next_attempt_is_queued(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    claim(tx, job_id)
    expire(tx, job_id)
    report = reap_lost_leases(tx, actor="test")
    assert report.timed_out == (job_id,)
    assert statuses(tx) == [(1, "TIMEOUT"), (2, "QUEUED")]
    with tx() as session:
        lost, retry = get_job(session, job_id), get_job(session, report.retried[0])
        assert (lost.error_code, bool(lost.suggested_fix)) == ("HEARTBEAT_TIMEOUT", True)
        assert (retry.root_job_id, retry.iteration, retry.trace_id) == (job_id, lost.iteration, lost.trace_id)
        assert session.scalars(select(SystemEventRow.event_type)).all() == ["LEASES_REAPED"]


def test_a_lease_that_is_still_good_is_not_reaped(tx: Transactions, make_bot: MakeBot) -> None:
    claim(tx, enqueue(tx, make_bot()))
    assert reap_lost_leases(tx, actor="test") == ReapReport()
    assert statuses(tx) == [(1, "RUNNING")]


def test_reaping_twice_changes_nothing_more(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    claim(tx, job_id)
    expire(tx, job_id)
    reap_lost_leases(tx, actor="test")
    assert reap_lost_leases(tx, actor="test") == ReapReport()


def test_after_the_last_attempt_there_is_no_other(tx: Transactions, make_bot: MakeBot) -> None:
    job_id: UUID | None = enqueue(tx, make_bot(), max_attempts=2)
    for _ in range(2):
        assert job_id is not None
        claim(tx, job_id)
        expire(tx, job_id)
        retried = reap_lost_leases(tx, actor="test").retried
        job_id = retried[0] if retried else None
    assert job_id is None
    assert statuses(tx) == [(1, "TIMEOUT"), (2, "TIMEOUT")]
    with tx() as session:
        (bot,) = all_bots(session, BotFilter(), now=NOW)
    assert bot.bot_now.state is BotState.BLOCKED
    assert [(alert.level, alert.code) for alert in bot.bot_now.alerts] == [("BLOCKED", "RETRIES_EXHAUSTED")]


def test_a_late_worker_changes_nothing(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    late = claim(tx, job_id)
    expire(tx, job_id)
    reap_lost_leases(tx, actor="test")
    with tx() as session:
        assert queries.complete(session, {late.job_id: (late.token, new_id())}) == {}
    with pytest.raises(GantryError) as refused, tx() as session:
        fail_job(session, late, lost(), session_id=None)
    assert refused.value.code is ErrorCode.HEARTBEAT_TIMEOUT
    assert statuses(tx) == [(1, "TIMEOUT"), (2, "QUEUED")]


def lost() -> GantryError:
    return GantryError(ErrorCode.RUN_FAILED, "gone", fix="none")


def test_the_ledger_of_every_job_is_legal_contiguous_and_ends_in_its_state(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    held = claim(tx, job_id)
    with tx() as session:
        fail_job(session, held, lost(), session_id=None)
    with tx() as session:
        for job in session.scalars(select(BotJob)).all():
            rows = session.scalars(
                select(JobRunEvent).where(JobRunEvent.job_id == job.id).order_by(JobRunEvent.id)
            ).all()
            assert rows[0].from_status is None
            assert rows[-1].to_status == job.status
            for row, following in pairwise(rows):
                assert row.to_status == following.from_status
                assert JobStatus(following.to_status) in TRANSITIONS[JobStatus(row.to_status)]
    assert statuses(tx) == [(1, "FAILED"), (2, "QUEUED")]  # RUN_FAILED is tried again


def test_a_keeper_prolongs_the_lease(tx: Transactions, engine: Engine, make_bot: MakeBot) -> None:
    held = claim(tx, enqueue(tx, make_bot()), SHORT)
    with LeaseKeeper(engine, {held.job_id: held.token}, SHORT) as keeper:
        assert_soon(lambda: keeper.renewals > 0)
        keeper.check(held.job_id)
    with tx() as session:
        job = get_job(session, held.job_id)
        assert job.last_heartbeat_at is not None
        assert job.last_heartbeat_at > held.started_at


def test_a_keeper_whose_job_was_taken_away_lets_nothing_be_written(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    held = claim(tx, enqueue(tx, make_bot()), LeaseTerms(lease_s=30, heartbeat_s=0.05))
    expire(tx, held.job_id)
    reap_lost_leases(tx, actor="test")
    with LeaseKeeper(engine, {held.job_id: held.token}, LeaseTerms(lease_s=30, heartbeat_s=0.05)) as keeper:
        assert_soon(lambda: held.job_id in keeper.lost)
        with pytest.raises(GantryError) as refused:
            keeper.check(held.job_id)
    assert refused.value.code is ErrorCode.HEARTBEAT_TIMEOUT


class Thief(SmaCross):
    """A strategy during whose decision the bot's lease is lost."""

    name: ClassVar[str] = "thief"

    def __init__(self, tx: Transactions) -> None:
        self.tx = tx

    def decide(self, view: MarketView, params: Any) -> Decisions:
        with self.tx() as session:
            running = session.scalars(select(BotJob.id).where(BotJob.status == "RUNNING")).one_or_none()
        if running is not None:
            expire(self.tx, running)
            reap_lost_leases(self.tx, actor="test")
        return super().decide(view, params)


@pytest.mark.usefixtures("es_bars")
def test_a_worker_that_loses_its_lease_while_computing_writes_nothing(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "thief", Thief(tx))
    bot_id = make_bot(strategy="thief")
    terms = GradeTerms(max_attempts=1)
    (graded,) = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW, terms=terms).bots
    assert graded.status is JobStatus.TIMEOUT
    assert graded.error is not None
    assert graded.error.code is ErrorCode.HEARTBEAT_TIMEOUT
    with tx() as session:
        assert session.scalar(select(func.count()).select_from(BacktestSession)) == 0
        assert session.scalar(select(func.count()).select_from(TradeLog)) == 0
    assert statuses(tx) == [(1, "TIMEOUT")]


@pytest.mark.usefixtures("es_bars")
def test_a_job_lost_elsewhere_is_taken_over_by_who_waits_for_it(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    job_id = enqueue(tx, bot_id)
    claim(tx, job_id)
    expire(tx, job_id)
    (graded,) = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW).bots
    assert graded.status is JobStatus.COMPLETED
    assert statuses(tx) == [(1, "TIMEOUT"), (2, "COMPLETED")]


def test_waiting_for_another_worker_has_an_end(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    claim(tx, enqueue(tx, bot_id))
    terms = GradeTerms(wait_elsewhere_s=0.0)
    (graded,) = grade_bots(tx, store, [bot_id], run_id=None, actor="test", now=NOW, terms=terms).bots
    assert graded.status is JobStatus.RUNNING
    assert graded.error is not None
    assert graded.error.code is ErrorCode.CONFLICT


class BrokenStore(BarsStore):
    """A store with a defect."""

    def read(self, paths: Sequence[str]) -> Bars:  # noqa: ARG002 - the port's signature
        raise ZeroDivisionError


@pytest.mark.usefixtures("es_bars")
def test_a_defect_while_grading_fails_the_job_and_queues_another_attempt(
    tx: Transactions, tmp_path: Path, make_bot: MakeBot
) -> None:
    broken = BrokenStore(str(tmp_path))
    (graded,) = grade_bots(tx, broken, [make_bot()], run_id=None, actor="test", now=NOW).bots
    assert graded.status is JobStatus.FAILED
    assert graded.error is not None
    assert graded.error.code is ErrorCode.INTERNAL
    assert statuses(tx) == [(1, "FAILED"), (2, "QUEUED")]
