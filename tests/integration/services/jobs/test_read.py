"""Jobs as they are read: one, a bot's active one, and all of a bot page by page."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import JobStatus
from services.jobs.read import active_job, get_job, page_jobs
from sql.queries.paging import After
from tests.factories.bots import make_bot
from tests.factories.jobs import make_job


def test_a_bots_jobs_are_walked_newest_first_without_repeating_or_skipping_one(session: Session) -> None:
    bot, other = make_bot(session, "one"), make_bot(session, "other")
    made = [make_job(session, bot, JobStatus.COMPLETED).id for _ in range(5)]
    make_job(session, other)
    seen: list[UUID] = []
    after: After | None = None
    while True:
        page = page_jobs(session, bot.id, after=after, limit=2)
        seen += [job.id for job in page.rows]
        after = page.following
        if after is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("status", list(JobStatus))
def test_the_active_job_is_one_that_waits_or_runs(session: Session, status: JobStatus) -> None:
    bot = make_bot(session)
    job = make_job(session, bot, status)
    found = active_job(session, bot.id)
    assert (found.id if found else None) == (job.id if status in {JobStatus.QUEUED, JobStatus.RUNNING} else None)


def test_unknown_jobs_and_jobs_of_unknown_bots_are_not_found(session: Session) -> None:
    with pytest.raises(GantryError) as no_job:
        get_job(session, new_id())
    with pytest.raises(GantryError) as no_bot:
        page_jobs(session, new_id(), after=None, limit=2)
    assert [no_job.value.code, no_bot.value.code] == [ErrorCode.NOT_FOUND] * 2
