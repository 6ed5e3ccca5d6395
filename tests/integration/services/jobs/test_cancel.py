"""A canceled job is over for everybody: its lease is void, and ledger and feed say why."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
from fleet.jobs import JobReason
from services.jobs.cancel import cancel_active, cancel_all, cancel_job
from sql.engine import Transactions
from sql.tables.events import Activity
from sql.tables.jobs import JobRunEvent
from tests.factories.bots import make_bot
from tests.factories.jobs import make_job
from tests.factories.statements import count_statements


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING])
def test_what_waits_or_runs_is_ended_once_with_its_reason(session: Session, status: JobStatus) -> None:
    job = make_job(session, make_bot(session), status)
    assert cancel_job(session, job, reason=JobReason.CANCELED_BY_PERSON, actor="person")
    assert not cancel_job(session, job, reason=JobReason.CANCELED_BY_PERSON, actor="person")
    session.refresh(job)
    assert (job.status, job.lease_token) == ("CANCELED", None)
    ledger = session.scalars(select(JobRunEvent).where(JobRunEvent.to_status == "CANCELED")).all()
    assert [(row.from_status, row.reason_code) for row in ledger] == [(status, "CANCELED_BY_PERSON")]
    lines = session.scalars(select(Activity).where(Activity.event_type == "BACKTEST_CANCELED")).all()
    assert [(line.job_id, line.actor, line.message) for line in lines] == [
        (job.id, "person", "Backtest canceled: a user requested it.")
    ]


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT])
def test_what_has_ended_stays_as_it_ended(session: Session, status: JobStatus) -> None:
    bot = make_bot(session)
    job = make_job(session, bot, status)
    assert not cancel_job(session, job, reason=JobReason.ARCHIVED, actor="person")
    assert cancel_active(session, bot.id, reason=JobReason.ARCHIVED, actor="person") == []
    session.refresh(job)
    assert job.status == status


def test_only_the_bots_that_are_meant_lose_their_jobs(session: Session) -> None:
    bots = [make_bot(session, name) for name in ("queued", "running", "idle", "other")]
    queued, running = make_job(session, bots[0]), make_job(session, bots[1], JobStatus.RUNNING)
    other = make_job(session, bots[3])
    ended = cancel_all(session, [bot.id for bot in bots[:3]], reason=JobReason.METRICS_RESET, actor="admin")
    assert ended == {bots[0].id: queued.id, bots[1].id: running.id}
    for job in (queued, running, other):
        session.refresh(job)
    assert [job.status for job in (queued, running, other)] == ["CANCELED", "CANCELED", "QUEUED"]
    messages = session.scalars(select(Activity.message).where(Activity.event_type == "BACKTEST_CANCELED")).all()
    assert messages == ["Backtest canceled: its bot's metrics were reset."] * 2


def test_many_are_canceled_in_as_many_statements_as_one(tx: Transactions, engine: Engine) -> None:
    with tx() as session:
        bots = [make_bot(session, f"bot {number}") for number in range(21)]
        for bot in bots:
            make_job(session, bot)
        ids = [bot.id for bot in bots]

    def cancel(*bot_ids: object) -> None:
        with tx() as session:
            assert len(cancel_all(session, bot_ids, reason=JobReason.LEFT_LAB, actor="test")) == len(bot_ids)  # type: ignore[arg-type]

    one = count_statements(engine, lambda: cancel(ids[0]))
    assert count_statements(engine, lambda: cancel(*ids[1:])) == one
