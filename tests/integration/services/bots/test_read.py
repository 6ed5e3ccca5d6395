"""Bots as they are read: one, or a page of them."""

from uuid import UUID

import pytest

from core.errors import ErrorCode, GantryError
from services.bots.read import get_bot
from sql.engine import Transactions
from tests.factories.bots import NOW


def test_an_unknown_bot_is_not_found(tx: Transactions) -> None:
    with tx() as session, pytest.raises(GantryError) as refused:
        get_bot(session, UUID(int=7), now=NOW)
    assert refused.value.code is ErrorCode.NOT_FOUND
