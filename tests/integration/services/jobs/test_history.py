"""What became of jobs: the newest of the fleet, and one with every transition it made."""

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import JobStatus
from services.jobs.history import MOST, history_of, newest_jobs
from tests.factories.bots import make_bot
from tests.factories.jobs import make_job


def test_the_newest_come_first_with_their_bots_names_and_no_more_than_asked(session: Session) -> None:
    jobs = [make_job(session, make_bot(session, f"bot {number}")) for number in range(3)]
    found = newest_jobs(session, bot_id=None, status=None, limit=2)
    assert [(line.id, line.bot) for line in found] == [(jobs[2].id, "bot 2"), (jobs[1].id, "bot 1")]


def test_jobs_are_narrowed_to_a_bot_and_to_a_status(session: Session) -> None:
    one, other = make_bot(session, "one"), make_bot(session, "other")
    failed, queued = make_job(session, one, JobStatus.FAILED), make_job(session, one)
    make_job(session, other, JobStatus.FAILED)
    assert {line.id for line in newest_jobs(session, bot_id=one.id, status=None, limit=9)} == {failed.id, queued.id}
    (line,) = newest_jobs(session, bot_id=one.id, status="FAILED", limit=9)
    assert (line.id, line.error_code) == (failed.id, "RUN_FAILED")


def test_a_job_is_shown_with_its_ledger_oldest_first(session: Session) -> None:
    job = make_job(session, make_bot(session, "one"), JobStatus.COMPLETED)
    history = history_of(session, job.id)
    assert (history.job.id, history.job.bot, history.job.status) == (job.id, "one", "COMPLETED")
    assert [(line.from_status, line.to_status) for line in history.ledger] == [
        (None, "QUEUED"),
        ("QUEUED", "RUNNING"),
        ("RUNNING", "COMPLETED"),
    ]


@pytest.mark.parametrize("wrong", [{"status": "DONE"}, {"limit": 0}, {"limit": MOST + 1}])
def test_what_can_not_be_asked_is_refused_by_its_field(session: Session, wrong: dict[str, object]) -> None:
    asked: dict[str, object] = {"bot_id": None, "status": None, "limit": 9}
    with pytest.raises(GantryError) as refused:
        newest_jobs(session, **(asked | wrong))  # type: ignore[arg-type]
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert [problem.field for problem in refused.value.details] == list(wrong)


def test_an_unknown_job_is_not_found(session: Session) -> None:
    with pytest.raises(GantryError) as refused:
        history_of(session, new_id())
    assert refused.value.code is ErrorCode.NOT_FOUND
