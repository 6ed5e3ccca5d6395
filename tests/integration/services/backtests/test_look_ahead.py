"""A bot that reads the future is locked, says so first, and stands below every other, however much it made."""

from typing import Any
from uuid import UUID

import pytest

from api.app import create_app
from core.settings import Settings
from fleet.bot_filter import BotFilter
from fleet.closed_sets import BotState, Tier
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.backtests.scores import refresh_score
from services.bots.read import BotSummary, best_first, get_bot, page_bots
from sql.engine import Transactions
from sql.tables.standing import AutonomyScore
from tests.factories.api import calling
from tests.factories.bots import NOW, MakeBot
from tests.factories.leaks import Faulty, next_close
from trading.strategies.registry import STRATEGIES

HONEST: dict[str, tuple[str, dict[str, Any]]] = {
    "cross": ("sma_cross", {}),
    "worst": ("sma_cross", {"fast": 2, "slow": 5}),
    "idle": ("rsi_reversion", {"lower": 1.0, "upper": 99.0}),
}


@pytest.fixture
def fleet(
    tx: Transactions, store: BarsStore, es_bars: None, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> dict[str, UUID]:
    """Honest bots, one of them without a trade, and one that reads the next close: all graded."""
    monkeypatch.setitem(STRATEGIES, "faulty", Faulty(next_close))
    ids = {name: make_bot(name, strategy=strategy, params=params) for name, (strategy, params) in HONEST.items()}
    ids["cheat"] = make_bot("cheat", strategy="faulty")
    report = grade_bots(tx, store, list(ids.values()), run_id="run", actor="test", now=NOW)
    assert report.failed == ()
    return ids


def test_a_planted_look_ahead_is_locked_and_the_worst_honest_bot_stands_above_it(
    tx: Transactions, fleet: dict[str, UUID]
) -> None:
    with tx() as session:
        bots = {bot.name: bot for bot in page_bots(session, BotFilter(), limit=50, now=NOW).rows}
        whole = get_bot(session, fleet["cheat"], now=NOW)
    cheat = bots["cheat"]
    richest = max(bots.values(), key=lambda bot: bot.metrics.net_pnl or 0)
    assert richest.name == "cheat", "its backtest is the best of all, which is what makes it dangerous"
    assert (cheat.autonomy_tier, cheat.autonomy_score, cheat.autonomy_score_max) == (Tier.LOCKED, 0.0, 0.0)
    assert cheat.bot_now.state is BotState.BLOCKED
    assert [alert.code for alert in cheat.bot_now.alerts] == ["LOOK_AHEAD", "SIMULATED_DATA"]
    assert "the future is read" in cheat.bot_now.alerts[0].message
    assert whole.autonomy_breakdown is not None
    assert whole.autonomy_breakdown["blockers"][0]["code"] == "LOOK_AHEAD"
    worst = min((bots[name] for name in ("cross", "worst")), key=_score)
    assert _score(worst) > _score(cheat)
    assert [bot.name for bot in best_first(bots.values())][-1] == "cheat"
    assert {bots[name].autonomy_score_max for name in HONEST} == {50.0}, "in the lab, on simulated bars"


def test_a_bot_without_a_trade_has_no_points_and_stands_above_it_all_the_same(
    tx: Transactions, fleet: dict[str, UUID], make_bot: MakeBot
) -> None:
    ungraded = make_bot("ungraded")
    with tx() as session:
        refresh_score(session, ungraded, now=NOW)
        bots = page_bots(session, BotFilter(), limit=50, now=NOW).rows
    idle = next(bot for bot in bots if bot.name == "idle")
    assert (idle.metrics.total_trades, idle.autonomy_score) == (0, 0.0)
    assert [bot.name for bot in best_first(bots)][-3:] == ["idle", "ungraded", "cheat"]


def test_the_api_answers_it_in_the_list_and_alone(tx: Transactions, fleet: dict[str, UUID]) -> None:
    with calling(create_app(settings=Settings(), tx=tx)) as api:
        listed = {bot["name"]: bot for bot in api.get("/api/bots").json()["data"]}
        alone = api.get(f"/api/bots/{fleet['cheat']}").json()["data"]
    for bot in (listed["cheat"], alone):
        assert (bot["autonomy_tier"], bot["autonomy_score"], bot["autonomy_score_max"]) == ("LOCKED", 0.0, 0.0)
        assert bot["botNow"]["alerts"][0]["level"] == "BLOCKED"
        assert bot["botNow"]["alerts"][0]["code"] == "LOOK_AHEAD"
    assert listed["cross"]["autonomy_score_max"] == 50.0


def test_derived_from_the_stored_rows_it_is_locked_the_same(tx: Transactions, fleet: dict[str, UUID]) -> None:
    def row() -> dict[str, Any]:
        with tx() as session:
            found = session.query(AutonomyScore).filter_by(bot_id=fleet["cheat"]).one()
            return {
                column.name: getattr(found, column.name)
                for column in AutonomyScore.__table__.columns
                if column.name not in {"id", "last_updated_at"}
            }

    written = row()
    with tx() as session:
        refresh_score(session, fleet["cheat"], now=NOW)
    assert row() == written
    assert written["locked_by"] == "LOOK_AHEAD"


def _score(bot: BotSummary) -> float:
    return bot.autonomy_score or 0.0
