"""Who is due for a promotion, and the gates as shown to a caller."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from fleet.closed_sets import DataLabel, PromotionMode
from fleet.promotion.evaluate import all_met
from services.bots.change import archive_bot
from services.promotion.read import due_for_promotion
from sql.engine import Transactions
from tests.factories.bots import NOW, MakeBot
from tests.factories.promotions import a_good_backtest
from tests.factories.stage_changes import LATER, MUCH_LATER, gates, promote, set_bot
from tests.factories.statements import count_statements


def test_due_are_the_active_bots_in_lab_that_meet_every_gate_of_paper(
    tx: Transactions, make_bot: MakeBot, engine: Engine
) -> None:
    good, manual, few, gone, above, untried = (make_bot(name) for name in ("a", "b", "c", "d", "e", "f"))
    for bot_id in (good, manual, gone, above):
        a_good_backtest(tx, bot_id, now=NOW)
    a_good_backtest(tx, few, now=NOW, trades=20)
    set_bot(tx, good, promotion_mode=PromotionMode.AUTO)
    set_bot(tx, manual, stage_locked_until=MUCH_LATER)
    with tx() as session:
        archive_bot(session, gone, actor="test", now=NOW)
    promote(tx, above)

    def due() -> set[UUID]:
        with tx() as session:
            found = due_for_promotion(session, now=LATER, development=False)
        assert all(all_met(gates) for gates in found.values())
        return set(found)

    assert due() == {good, manual}
    assert untried not in due()
    statements = count_statements(engine, due)
    a_good_backtest(tx, untried, now=NOW)
    assert due() == {good, manual, untried}
    assert count_statements(engine, due) == statements


@pytest.mark.parametrize("made", [{}, {"trades": 49}, {"losers": False}, {"label": DataLabel.IMPORTED}, {"trades": 50}])
def test_the_planner_and_a_person_see_the_same_gates(tx: Transactions, bot_id: UUID, made: dict[str, Any]) -> None:
    a_good_backtest(tx, bot_id, now=NOW, **made)
    shown = gates(tx, bot_id).gates
    with tx() as session:
        due = due_for_promotion(session, now=LATER, development=False)
    assert due == ({bot_id: shown} if all_met(shown) else {})
