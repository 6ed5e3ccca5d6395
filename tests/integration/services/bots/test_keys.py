"""Which bots there are, as keys."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from services.bots.change import BotChange, change_bot
from services.bots.create import NewBot, create_bot
from services.bots.keys import (
    active_bots,
    active_partition_keys,
    bots_of_keys,
    free_keys,
    partition_keys,
    require_active_bots,
)
from sql.tables.bots import Bot
from tests.factories.bots import NOW, make_bot

TWIN = UUID("00000000-0001-7000-8000-00009c2f10ab")
OTHER_TWIN = UUID("00000000-0002-7000-8000-11119c2f10ab")


def test_active_bots_come_in_the_order_of_their_creation_and_archived_ones_never(session: Session) -> None:
    bots = [make_bot(session, f"bot {number}") for number in range(3)]
    bots[1].archived_at = NOW
    session.flush()
    assert active_bots(session) == (bots[0].id, bots[2].id)
    assert active_partition_keys(session) == (bots[0].partition_key, bots[2].partition_key)


def test_of_several_ids_the_first_that_is_no_active_bots_is_named(session: Session) -> None:
    there, gone, nobody = make_bot(session, "there"), make_bot(session, "gone", archived_at=NOW), new_id()
    require_active_bots(session, [there.id])
    for ids, named in (([there.id, gone.id], gone.id), ([nobody, gone.id], nobody)):
        with pytest.raises(GantryError, match=str(named)) as refused:
            require_active_bots(session, ids)
        assert refused.value.code is ErrorCode.NOT_FOUND


def test_a_new_bots_partition_key_begins_with_its_name_and_a_rename_leaves_it(session: Session) -> None:
    bot_id = create_bot(session, NewBot("NQ RSI 1", "NQ", "rsi_reversion"), actor="test", now=NOW)
    key = f"nq-rsi-1-{bot_id.hex[-8:]}"
    assert partition_keys(session, [bot_id]) == {bot_id: key}
    change_bot(session, bot_id, BotChange(name="another"), revisions=None, actor="test", now=NOW)
    assert partition_keys(session, [bot_id]) == {bot_id: key}


def test_a_bot_is_found_by_its_key_and_by_the_id_that_was_its_key_archived_or_not(session: Session) -> None:
    there, gone = make_bot(session, "there"), make_bot(session, "gone", archived_at=NOW)
    assert bots_of_keys(session, [there.partition_key, str(gone.id), "nobody-00000000", str(new_id())]) == {
        there.partition_key: there.id,
        str(gone.id): gone.id,
    }
    assert bots_of_keys(session, []) == {}


def test_new_bots_whose_keys_are_taken_get_longer_ones(session: Session) -> None:
    make_bot(session, "one", id=TWIN)
    new = [Bot(id=each, name="one", partition_key="one-9c2f10ab") for each in (OTHER_TWIN, new_id())]
    new[1].partition_key = "one-800011119c2f10ab"
    free_keys(session, new)
    assert [bot.partition_key for bot in new] == ["one-800011119c2f10ab", f"one-{new[1].id.hex[-8:]}"]
