"""Which bots there are, as keys."""

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from services.bots.keys import active_bots, require_active_bots
from tests.factories.bots import NOW, make_bot


def test_active_bots_come_in_the_order_of_their_creation_and_archived_ones_never(session: Session) -> None:
    bots = [make_bot(session, f"bot {number}") for number in range(3)]
    bots[1].archived_at = NOW
    session.flush()
    assert active_bots(session) == (bots[0].id, bots[2].id)


def test_of_several_ids_the_first_that_is_no_active_bots_is_named(session: Session) -> None:
    there, gone, nobody = make_bot(session, "there"), make_bot(session, "gone", archived_at=NOW), new_id()
    require_active_bots(session, [there.id])
    for ids, named in (([there.id, gone.id], gone.id), ([nobody, gone.id], nobody)):
        with pytest.raises(GantryError, match=str(named)) as refused:
            require_active_bots(session, ids)
        assert refused.value.code is ErrorCode.NOT_FOUND
