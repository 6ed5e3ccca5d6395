"""Proof of what ran: every job is counted, what should have moved on is named, and no bot is missing."""

import pytest
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType
from services.proof import jobs
from services.proof.jobs import JobsProof, jobs_proof
from sql.queries.paging import After
from tests.factories.bots import NOW, make_bot
from tests.factories.jobs import make_job, run_job


def proof(session: Session, *, after: After | None = None, limit: int = 50) -> JobsProof:
    return jobs_proof(session, max_job_minutes=30, after=after, limit=limit)


def test_an_empty_fleet_has_zero_of_everything(session: Session) -> None:
    found = proof(session)
    assert found.counts == dict.fromkeys(JobStatus, 0)
    assert found.by_type == {job_type: dict.fromkeys(JobStatus, 0) for job_type in JobType}
    assert (found.oldest_queued_seconds, list(found.stuck), found.stuck_count) == (None, [], 0)


def test_jobs_are_counted_by_type_and_status_and_the_counts_add_up(session: Session) -> None:
    for number, status in enumerate(JobStatus):
        make_job(session, make_bot(session, f"bot {number}"), status)
    make_job(session, make_bot(session, "improved"), job_type=JobType.IMPROVE, kind=None)
    found = proof(session)
    assert found.by_type[JobType.BACKTEST] == dict.fromkeys(JobStatus, 1)
    assert found.by_type[JobType.IMPROVE] == dict.fromkeys(JobStatus, 0) | {JobStatus.QUEUED: 1}
    assert found.counts == dict.fromkeys(JobStatus, 1) | {JobStatus.QUEUED: 2}


def test_jobs_whose_lease_is_over_are_stuck_and_all_of_them_counted(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_STUCK", 2)
    for number in range(3):
        run_job(session, make_job(session, make_bot(session, f"bot {number}")), lease_s=-1)
    run_job(session, make_job(session, make_bot(session, "alive")))
    found = proof(session)
    assert (len(found.stuck), found.stuck_count) == (2, 3)


def test_each_bots_newest_job_is_walked_newest_bot_first_and_archived_bots_are_left_out(session: Session) -> None:
    newest = []
    for number in range(3):
        bot = make_bot(session, f"bot {number}")
        make_job(session, bot, JobStatus.COMPLETED)
        newest.append(make_job(session, bot, JobStatus.FAILED).id)
    make_job(session, make_bot(session, "gone", archived_at=NOW))
    first = proof(session, limit=2)
    rest = proof(session, after=first.last_job_per_bot.following, limit=2)
    assert [job.id for job in (*first.last_job_per_bot.rows, *rest.last_job_per_bot.rows)] == newest[::-1]
    assert (first.last_job_per_bot.following is None, rest.last_job_per_bot.following) == (False, None)
