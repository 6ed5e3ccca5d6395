"""Costs of a bot: stored in one way, refused where they can't be."""

import pytest

from services.bots.read import get_bot
from sql.engine import Transactions
from tests.factories.bots import NOW, MakeBot


@pytest.mark.parametrize(
    ("written", "stored"), [("2.250", "2.25"), ("2", "2.00"), ("2.2510", "2.251"), ("-0", "0.00"), ("1E2", "100.00")]
)
def test_a_commission_is_stored_in_one_way_however_it_is_written(
    tx: Transactions, make_bot: MakeBot, written: str, stored: str
) -> None:
    bot_id = make_bot(costs={"commission_usd": written})
    with tx() as session:
        assert get_bot(session, bot_id, now=NOW).costs["commission_usd"] == stored
