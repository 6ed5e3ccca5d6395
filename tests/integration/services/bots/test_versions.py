"""The versions of a bot: each with its origin, and the metrics it has since the last reset."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from services.bots.versions import page_versions
from sql.engine import Transactions
from sql.queries.paging import AfterKey
from sql.tables.bots import Bot
from tests.factories.bots import NOW, a_version, make_bot
from tests.factories.promotions import adopted
from tests.factories.results import make_session
from tests.factories.standing import begin_epoch
from tests.factories.statements import count_statements


def next_version(session: Session, bot: Bot, number: int) -> None:
    """Give the bot another version, made from the present one."""
    version = a_version(bot, number=number, parent_id=bot.current_version_id, params={"fast": number})
    session.add(version)
    session.flush()
    bot.current_version_id = version.id
    session.flush()


def test_an_unknown_bot_is_not_found(session: Session) -> None:
    with pytest.raises(GantryError) as refused:
        page_versions(session, UUID(int=7), limit=10)
    assert refused.value.code is ErrorCode.NOT_FOUND


def test_a_version_names_its_parent_its_origin_and_its_metrics(session: Session) -> None:
    bot = make_bot(session)
    figures = {"net_pnl": "12.5000", "total_trades": 3, "win_rate": 0.5, "max_drawdown_usd": "1.0000"}
    old = make_session(session, bot, metrics=figures, created_at=NOW)
    newer = make_session(session, bot, metrics=figures | {"net_pnl": "-3.0000"}, created_at=NOW + timedelta(hours=1))
    next_version(session, bot, 2)
    adopted(session, bot)
    second, first = page_versions(session, bot.id, limit=10).rows
    assert (second.number, second.is_current, second.parent_id, second.parent_number) == (2, True, first.id, 1)
    assert (second.params, second.session_id, second.data_label) == ({"fast": 2}, None, None)
    assert second.improvement_id is not None
    assert (second.metrics.net_pnl, second.metrics.reason) == (None, "NEEDS_BACKTEST")
    assert (first.number, first.is_current, first.parent_id, first.improvement_id) == (1, False, None, None)
    assert first.session_id == newer.id != old.id
    assert (first.metrics.net_pnl, first.metrics.total_trades, first.metrics.reason) == (Decimal("-3.0000"), 3, None)
    assert (first.metrics.win_rate, first.metrics.sharpe) == (0.5, None)


def test_after_a_reset_a_version_has_no_metrics(session: Session) -> None:
    bot = make_bot(session)
    make_session(session, bot, metrics={"net_pnl": "1"})
    begin_epoch(session, bot)
    (only,) = page_versions(session, bot.id, limit=10).rows
    assert (only.session_id, only.metrics.net_pnl, only.metrics.reason) == (None, None, "NEEDS_BACKTEST")


def test_versions_are_walked_newest_first_at_a_fixed_price(engine: Engine, tx: Transactions) -> None:
    with tx() as session:
        bot_id = make_bot(session).id
        for number in range(2, 8):
            next_version(session, session.get_one(Bot, bot_id), number)
    seen: list[int] = []
    after: AfterKey | None = None
    with tx() as session:
        while True:
            page = page_versions(session, bot_id, after=after, limit=3)
            seen += [version.number for version in page.rows]
            after = page.following
            if after is None:
                break
        assert count_statements(engine, lambda: page_versions(session, bot_id, limit=100)) == 2
    assert seen == [7, 6, 5, 4, 3, 2, 1]
