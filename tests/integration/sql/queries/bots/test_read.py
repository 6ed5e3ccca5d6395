"""Lists of bots are walked without repeating or skipping one, at a fixed price."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fleet.bot_filter import BotFilter
from fleet.closed_sets import JobStatus, Stage
from sql.engine import Transactions
from sql.queries.bots import listing
from sql.queries.bots import read as bot_queries
from sql.queries.paging import AfterKey
from tests.factories.bots import NOW, make_bot
from tests.factories.jobs import make_job
from tests.factories.statements import statements


def test_walking_pages_while_bots_are_added_neither_repeats_nor_skips(session: Session) -> None:
    # Three share a creation time: the id breaks the tie.
    made = [make_bot(session, f"bot {n}", created_at=NOW + timedelta(seconds=n // 3)).id for n in range(10)]
    seen: list[UUID] = []
    after: AfterKey | None = None
    while True:
        page = listing.page_bots(session, BotFilter(), after=after, limit=3)
        seen += [row.bot.id for row in page.rows]
        make_bot(session, f"newer {len(seen)}", created_at=NOW + timedelta(hours=1))
        if page.following is None:
            break
        after = AfterKey(page.rows[2].bot.created_at, page.rows[2].bot.id)
    assert len(seen) == len(set(seen)) == 10
    assert set(seen) == set(made)


def test_archived_bots_are_not_listed_and_filters_narrow(session: Session) -> None:
    kept = make_bot(session, "kept", symbol="CL")
    make_bot(session, "gone", archived_at=NOW)
    make_bot(session, "other", symbol="ES")
    rows = listing.page_bots(session, BotFilter(symbol="CL"), after=None, limit=10).rows
    assert [row.bot.id for row in rows] == [kept.id]
    assert len(listing.page_bots(session, BotFilter(stage=Stage.LAB), after=None, limit=10).rows) == 2


def test_a_page_costs_the_same_queries_for_one_bot_as_for_sixty(engine: Engine, tx: Transactions) -> None:
    def page(size: int) -> int:
        with tx() as session, statements(engine) as seen:
            rows = listing.page_bots(session, BotFilter(), after=None, limit=size).rows
            ids = [row.bot.id for row in rows]
            bot_queries.newest_jobs(session, ids)
            bot_queries.rollups_of(session, ids)
        assert len(ids) == size
        return len(seen)

    with tx() as session:
        for number in range(60):
            make_job(session, make_bot(session, f"bot {number}"), JobStatus.FAILED)
    assert page(60) == page(1) == 3
    with tx() as session:
        assert listing.page_bots(session, BotFilter(), after=None, limit=1).following is not None, (
            "there is a next page"
        )


def test_the_newest_job_of_each_bot_is_found(session: Session) -> None:
    first, second = make_bot(session, "first"), make_bot(session, "second")
    make_job(session, first, JobStatus.FAILED, created_at=NOW)
    newest = make_job(session, first, created_at=NOW + timedelta(minutes=1))
    only = make_job(session, second, JobStatus.COMPLETED)
    assert {job.id for job in bot_queries.newest_jobs(session, [first.id, second.id])} == {newest.id, only.id}
