"""A bot is found by id or by name, or the error says that it isn't there."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from services.finding import bot_named, lock_bot, require_bot
from sql.engine import Transactions
from tests.factories.bots import NOW, make_bot


def test_an_unknown_bot_is_not_found_by_any_way_to_it(session: Session) -> None:
    for find in (require_bot, lock_bot):
        with pytest.raises(GantryError) as refused:
            find(session, new_id())
        assert refused.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(GantryError, match="nobody") as refused:
        bot_named(session, "nobody")
    assert refused.value.code is ErrorCode.NOT_FOUND


def test_a_name_leads_to_the_active_bot_that_has_it(session: Session) -> None:
    make_bot(session, "one", archived_at=NOW)
    active = make_bot(session, "one")
    assert bot_named(session, "one") == active.id


def test_a_name_leads_to_an_archived_bot_where_no_active_one_has_it(session: Session) -> None:
    archived = make_bot(session, "one", archived_at=NOW)
    assert bot_named(session, "one") == archived.id


def test_a_name_of_several_archived_bots_is_refused_with_their_ids(session: Session) -> None:
    older, newer = (make_bot(session, "one", archived_at=NOW + timedelta(hours=hour)).id for hour in (1, 2))
    with pytest.raises(GantryError, match="2 archived bots") as refused:
        bot_named(session, "one")
    assert refused.value.code is ErrorCode.CONFLICT
    assert f"{newer}, {older}" in refused.value.fix


def test_an_archived_bot_is_there_and_can_not_be_worked_on(session: Session) -> None:
    bot = make_bot(session, archived_at=NOW)
    require_bot(session, bot.id)
    with pytest.raises(GantryError, match="archived") as refused:
        lock_bot(session, bot.id)
    assert refused.value.code is ErrorCode.CONFLICT


def test_a_locked_bot_is_changed_by_nobody_else_and_still_may_be_referred_to(tx: Transactions) -> None:
    with tx() as session:
        bot_id = make_bot(session).id
    with tx() as first:
        lock_bot(first, bot_id)
        with tx() as second:
            locked = text("SELECT id FROM bots WHERE id = :id FOR KEY SHARE NOWAIT")
            assert second.scalar(locked, {"id": bot_id}) == bot_id, "a row that refers to it needn't wait"
        with pytest.raises(GantryError) as busy:
            lock_soon(tx, bot_id)
        assert busy.value.code is ErrorCode.DATABASE_UNAVAILABLE


def lock_soon(tx: Transactions, bot_id: UUID) -> None:
    with tx() as session:
        session.execute(text("SET LOCAL lock_timeout = '50ms'"))
        lock_bot(session, bot_id)
