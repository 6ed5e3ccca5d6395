"""Lists of bots in the database: a filter holds what it names, an order is kept over all pages, counts agree."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fleet.bot_filter import NEWEST_FIRST, BotFilter, BotOrder, BotSort
from fleet.closed_sets import Stage
from sql.engine import Transactions
from sql.queries.bots import listing
from sql.queries.paging import AfterKey
from tests.factories.bots import NOW, make_bot
from tests.factories.shown_fleet import KINDS, shown_fleet
from tests.factories.statements import statements

ORDERS = [BotOrder(by, descending) for by in BotSort for descending in (True, False)]


def walk(session: Session, order: BotOrder, *, limit: int, which: BotFilter | None = None) -> Sequence[str]:
    """Return the names of all bots in an order, read page by page."""
    names: list[str] = []
    after: AfterKey | None = None
    while True:
        page = listing.page_bots(session, which or BotFilter(), order, after=after, limit=limit)
        names += [row.bot.name for row in page.rows]
        after = page.following
        if after is None:
            return names


def test_every_order_is_the_same_in_small_pages_as_in_one(session: Session) -> None:
    shown_fleet(session)
    active = set(KINDS) - {"gone"}
    for order in ORDERS:
        whole = walk(session, order, limit=100)
        assert set(whole) == active, order
        assert len(whole) == len(active), order
        assert walk(session, order, limit=3) == whole, order


@pytest.mark.parametrize("order", [NEWEST_FIRST, BotOrder(BotSort.NET_PNL), BotOrder(BotSort.NAME, descending=False)])
def test_bots_that_are_made_during_a_walk_repeat_and_hide_none(session: Session, order: BotOrder) -> None:
    made = [make_bot(session, f"bot {number}", created_at=NOW).name for number in range(7)]
    names: list[str] = []
    after: AfterKey | None = None
    while True:
        page = listing.page_bots(session, BotFilter(), order, after=after, limit=2)
        names += [row.bot.name for row in page.rows]
        make_bot(session, f"a later one {len(names)}", symbol="NQ")
        after = page.following
        if after is None:
            break
    assert sorted(name for name in names if name in made) == made
    assert len(names) == len(set(names))


def test_filters_and_orders_cost_one_statement_each(engine: Engine, tx: Transactions) -> None:
    with tx() as session:
        shown_fleet(session)
    with tx() as session:
        for order in ORDERS:
            with statements(engine) as seen:
                listing.page_bots(session, BotFilter(stage=Stage.LAB), order, after=None, limit=5)
            assert len(seen) == 1, order
        with statements(engine) as seen:
            listing.counts(session)
        assert len(seen) == 1


def test_a_count_is_the_length_of_the_list(session: Session) -> None:
    shown_fleet(session)
    for which in (BotFilter(), BotFilter(archived=True), BotFilter(stage=Stage.LAB), BotFilter(symbol="6E")):
        assert listing.count_bots(session, which) == len(walk(session, NEWEST_FIRST, limit=100, which=which))
