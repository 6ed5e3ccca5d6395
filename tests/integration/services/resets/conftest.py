"""Bots that have something to lose."""

from uuid import UUID

import pytest

from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from sql.engine import Transactions
from tests.factories.bots import NOW, MakeBot


@pytest.fixture
def graded(tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None) -> list[UUID]:
    bots = [make_bot(f"bot {number}") for number in range(3)]
    grade_bots(tx, store, bots, run_id="run", actor="test", now=NOW)
    return bots
