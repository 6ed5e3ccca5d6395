"""Jobs whose worker is gone are ended, and tried again without anyone asking."""

import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from fleet.bot_filter import BotFilter
from fleet.closed_sets import BotState, JobStatus
from services.bots.read import page_bots
from services.jobs.read import get_job
from services.jobs.reaper import Reaper, ReapReport, fail_jobs_of_dead_runs, reap_lost_leases
from sql.engine import Transactions
from sql.queries import clock as clock_queries
from sql.tables.events import SystemEventRow
from sql.tables.jobs import BotJob
from tests.factories.bots import NOW, MakeBot
from tests.factories.claims import attempts, claim, claim_one, enqueue, expire, queue


def test_a_job_that_runs_for_too_long_times_out_though_its_heart_beats(tx: Transactions, make_bot: MakeBot) -> None:
    (job_id,) = queue(tx, make_bot())
    claim(tx)
    assert reap_lost_leases(tx, actor="test", max_job_minutes=30).timed_out == ()
    with tx() as session:
        session.execute(update(BotJob).values(started_at=func.now() - timedelta(minutes=31)))
    assert reap_lost_leases(tx, actor="test", max_job_minutes=30).timed_out == (job_id,)
    with tx() as session:
        assert get_job(session, job_id).error_code == "JOB_TIMEOUT"


def test_jobs_of_a_run_that_is_over_fail_at_once_and_those_of_others_go_on(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, make_bot("one"), make_bot("two"))
    dead, alive = claim(tx, 1, run_id="dead"), claim(tx, 1, run_id="alive")
    report = fail_jobs_of_dead_runs(tx, ["dead"], actor="test")
    assert report.timed_out == (dead[0].job_id,)
    with tx() as session:
        assert get_job(session, alive[0].job_id).status == JobStatus.RUNNING
        retry = get_job(session, report.retried[0])
        assert (retry.attempt, retry.status) == (2, "QUEUED")
        assert retry.not_before is not None
        wait = retry.not_before - clock_queries.database_time(session)
    assert timedelta(0) < wait < timedelta(seconds=1.2)


def test_after_a_jump_of_the_databases_clock_leases_are_armed_anew_and_none_is_reaped(
    tx: Transactions, make_bot: MakeBot
) -> None:
    (job_id,) = queue(tx, make_bot())
    claim(tx)
    with tx() as session:
        session.execute(update(BotJob).values(lease_expires_at=func.now() - timedelta(hours=1)))
    reaper = Reaper(30.0)
    with tx() as session:
        before = clock_queries.database_time(session)
    reaper._seen = (before - timedelta(hours=1), time.monotonic())
    report = reaper.tick(tx, actor="test")
    assert (report.timed_out, report.rearmed) == ((), 1)
    with tx() as session:
        assert get_job(session, job_id).status == JobStatus.RUNNING
        assert session.scalars(select(SystemEventRow.event_type)).all() == ["LEASES_REARMED"]
    assert reaper.tick(tx, actor="test").timed_out == (), (
        "armed anew: a worker that is really gone is found a lease later"
    )


def test_a_lost_lease_times_out_and_the_next_attempt_is_queued(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    claim_one(tx, job_id)
    expire(tx, job_id)
    report = reap_lost_leases(tx, actor="test")
    assert report.timed_out == (job_id,)
    assert attempts(tx) == [(1, "TIMEOUT"), (2, "QUEUED")]
    with tx() as session:
        lost, retry = get_job(session, job_id), get_job(session, report.retried[0])
        assert (lost.error_code, bool(lost.suggested_fix)) == ("HEARTBEAT_TIMEOUT", True)
        assert (retry.root_job_id, retry.iteration, retry.trace_id) == (job_id, lost.iteration, lost.trace_id)
        assert session.scalars(select(SystemEventRow.event_type)).all() == ["LEASES_REAPED"]


def test_a_lease_that_is_still_good_is_not_reaped(tx: Transactions, make_bot: MakeBot) -> None:
    claim_one(tx, enqueue(tx, make_bot()))
    assert reap_lost_leases(tx, actor="test") == ReapReport()
    assert attempts(tx) == [(1, "RUNNING")]


def test_reaping_twice_changes_nothing_more(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    claim_one(tx, job_id)
    expire(tx, job_id)
    reap_lost_leases(tx, actor="test")
    assert reap_lost_leases(tx, actor="test") == ReapReport()


def test_after_the_last_attempt_there_is_no_other(tx: Transactions, make_bot: MakeBot) -> None:
    job_id: UUID | None = enqueue(tx, make_bot(), max_attempts=2)
    for _ in range(2):
        assert job_id is not None
        claim_one(tx, job_id)
        expire(tx, job_id)
        retried = reap_lost_leases(tx, actor="test").retried
        job_id = retried[0] if retried else None
    assert job_id is None
    assert attempts(tx) == [(1, "TIMEOUT"), (2, "TIMEOUT")]
    with tx() as session:
        (bot,) = page_bots(session, BotFilter(), limit=2, now=NOW).rows
    assert bot.bot_now.state is BotState.BLOCKED
    assert [(alert.level, alert.code) for alert in bot.bot_now.alerts] == [("BLOCKED", "RETRIES_EXHAUSTED")]
