"""A bot, and one that meets every gate of the next stage."""

from uuid import UUID

import pytest

from sql.engine import Transactions
from tests.factories.bots import NOW, MakeBot
from tests.factories.promotions import a_good_backtest


@pytest.fixture
def bot_id(make_bot: MakeBot) -> UUID:
    return make_bot()


@pytest.fixture
def ready(tx: Transactions, bot_id: UUID) -> UUID:
    """A bot in LAB that meets every gate of PAPER."""
    a_good_backtest(tx, bot_id, now=NOW)
    return bot_id
