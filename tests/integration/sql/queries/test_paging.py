"""A page holds as many rows as it was asked for and says where the next one starts; a walk shows each row once."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from sql.queries.backtests import sessions
from sql.queries.bars import catalogue
from sql.queries.improve import improvements
from sql.queries.jobs import read as jobs
from sql.queries.paging import Page, page_of, rows_read
from sql.queries.proof import jobs as proof
from tests.factories.bars_months import make_month
from tests.factories.bots import NOW, make_bot
from tests.factories.promotions import adopted
from tests.factories.results import make_session

COUNT = 7
List = Callable[[Session, UUID, Any, int], Page[Any, Any]]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10])
@pytest.mark.parametrize("count", range(6))
def test_a_page_ends_where_the_next_one_starts(count: int, limit: int) -> None:
    every = [f"row {number}" for number in range(count)]
    page = page_of(every[: rows_read(limit)], limit, str.upper)
    assert page.rows == every[:limit]
    assert page.following == (every[limit - 1].upper() if count > limit else None)


def test_a_page_of_other_rows_goes_on_where_it_did() -> None:
    assert Page([1, 2], "2").with_rows(["one", "two"]) == Page(["one", "two"], "2")


def trades_of(session: Session, bot_id: UUID, below: Any, limit: int) -> Page[Any, Any]:
    newest = sessions.newest_completed(session, bot_id)
    assert newest is not None
    page = sessions.page_trades(session, newest.id, below=below.seq if below else None, limit=limit)
    assert page.following is None or page.following.session_id == newest.id
    return page


LISTS: dict[str, tuple[List, Callable[[Any], Any]]] = {
    "sessions": (
        lambda session, bot_id, after, limit: sessions.page_sessions(session, bot_id, after=after, limit=limit),
        lambda row: (row.created_at, row.id),
    ),
    "jobs": (
        lambda session, bot_id, after, limit: jobs.page_jobs(session, bot_id, after=after, limit=limit),
        lambda row: (row.created_at, row.id),
    ),
    "improvements": (
        lambda session, bot_id, after, limit: improvements.page(session, bot_id, after=after, limit=limit),
        lambda row: (row.created_at, row.id),
    ),
    "each bot's newest job": (
        lambda session, _bot_id, after, limit: proof.last_jobs(session, after=after, limit=limit),
        lambda row: row.bot_id,  # one a bot, made in the bots' order
    ),
    "trades": (trades_of, lambda row: row.seq),
}


@pytest.fixture
def bot_id(session: Session) -> UUID:
    """A bot with seven of each; some are of one moment, so that the id decides."""
    bot = make_bot(session)
    for number in range(COUNT):
        make_session(session, bot, trades=COUNT, created_at=NOW + timedelta(minutes=number // 3))
        adopted(session, bot)
    for number in range(COUNT - 1):
        other = make_bot(session, f"other {number}", created_at=NOW + timedelta(minutes=1 + number // 3))
        make_session(session, other, trades=1)
    return bot.id


def walked(session: Session, pages: List, bot_id: UUID, limit: int) -> Sequence[Any]:
    seen: list[Any] = []
    after = None
    while True:
        page = pages(session, bot_id, after, limit)
        assert len(page.rows) == limit or page.following is None
        seen += page.rows
        after = page.following
        if after is None:
            return seen


@pytest.mark.parametrize("limit", [1, 3, COUNT, 100])
@pytest.mark.parametrize("name", LISTS)
def test_a_walk_shows_each_row_once_newest_first_whatever_the_pages_size(
    session: Session, bot_id: UUID, name: str, limit: int
) -> None:
    pages, key = LISTS[name]
    found = [key(row) for row in walked(session, pages, bot_id, limit)]
    assert found == sorted(set(found), reverse=True)
    assert len(found) == (2 * COUNT if name == "jobs" else COUNT)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_months_are_walked_by_symbol_and_month(session: Session, limit: int) -> None:
    for symbol, month in [("NQ", "2024-01"), ("ES", "2024-02"), ("ES", "2024-01"), ("CL", "2024-03")]:
        make_month(session, symbol, month)
    pages: List = lambda session, _bot_id, after, limit: catalogue.page_months(  # noqa: E731
        session, symbol=None, after=after, limit=limit
    )
    found = [(row.symbol, row.month) for row in walked(session, pages, UUID(int=0), limit)]
    assert found == [("CL", "2024-03"), ("ES", "2024-01"), ("ES", "2024-02"), ("NQ", "2024-01")]
