"""Making bots: what is wrong is refused with its field, and nothing is half-written."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from services.bots.create import NewBot, create_bot
from services.bots.read import get_bot
from sql.engine import Transactions
from sql.tables.bots import BotBoundary, BotStageEvent
from tests.factories.bots import NOW, MakeBot


def test_a_new_bot_is_in_lab_and_promoted_by_hand_only(tx: Transactions, make_bot: MakeBot) -> None:
    bot_id = make_bot("alpha", symbol="6E", strategy="rsi_reversion", params={"period": 21})
    with tx() as session:
        view = get_bot(session, bot_id, now=NOW)
        assert (view.stage, view.promotion_mode, view.version) == ("LAB", "MANUAL", 1)
        assert view.params["period"] == 21
        assert view.params["stop_ticks"] == 20
        assert view.costs == {"slippage_ticks": 1, "commission_usd": "2.40", "contracts": 1}
        assert view.window == {"start": None, "end": None}
        assert view.bot_now.is_new
        epochs = session.execute(select(BotBoundary.source, BotBoundary.epoch)).all()
        assert sorted(epochs) == [(name, 0) for name in ("BACKTEST", "CANARY", "LIVE", "PAPER", "SHADOW")]
        event = session.scalars(select(BotStageEvent)).one()
        assert (event.from_stage, event.to_stage, event.actor) == (None, "LAB", "test")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"symbol": "XX"}, "symbol"),
        ({"timeframe": "2m"}, "timeframe"),
        ({"params": {"slow": 50, "speed": 3}}, "speed"),
        ({"params": {"fast": 0}}, "fast"),
        ({"params": {"fast": "many"}}, "fast"),
        ({"params": {"fast": float("nan")}}, "fast"),
        ({"costs": {"tax": 1}}, "costs.tax"),
        ({"costs": {"slippage_ticks": -1}}, "costs.slippage_ticks"),
        ({"costs": {"slippage_ticks": True}}, "costs.slippage_ticks"),
        ({"costs": {"contracts": 0}}, "costs.contracts"),
        ({"costs": {"commission_usd": "2.25001"}}, "costs.commission_usd"),
        ({"costs": {"commission_usd": "NaN"}}, "costs.commission_usd"),
        ({"costs": {"commission_usd": "a lot"}}, "costs.commission_usd"),
        ({"costs": {"commission_usd": "\uff12.\uff12\uff15"}}, "costs.commission_usd"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "bell\x07"}, "name"),
        ({"window_start": "2024-13"}, "window.start"),
        ({"window_start": "2024-02", "window_end": "2024-01"}, "window.end"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field_before_anything_is_written(changes: dict[str, Any], field: str) -> None:
    new = NewBot(**{"name": "one", "symbol": "ES", "strategy": "sma_cross", **changes})
    with pytest.raises(GantryError) as refused, Session() as unbound:
        create_bot(unbound, new, actor="test", now=NOW)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert refused.value.fix
    assert field in [problem.field for problem in refused.value.details]


def test_an_unknown_strategy_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(GantryError) as refused, Session() as unbound:
        create_bot(unbound, NewBot("one", "ES", "magic"), actor="test", now=NOW)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert "sma_cross" in refused.value.fix


def test_two_bots_can_not_have_one_name(make_bot: MakeBot) -> None:
    make_bot("twin")
    with pytest.raises(GantryError) as refused:
        make_bot("twin")
    assert (refused.value.code, refused.value.kind) == (ErrorCode.CONFLICT, Kind.CONFLICT)
