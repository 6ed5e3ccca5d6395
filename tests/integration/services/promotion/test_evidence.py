"""What counts as evidence before a stage, and what a refusal says of what is missing."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.errors import ErrorCode
from fleet.closed_sets import DataLabel, MetricsScope, PromotionMode, Stage, TradeSource
from fleet.promotion.gates import LIMITS
from fleet.roles import PLANNER
from services.bots.change import BotChange, change_bot
from services.promotion.read import due_for_promotion
from services.promotion.refusals import GatesNotMet
from services.resets.reset import ResetRequest, reset_metrics
from sql.engine import Transactions
from sql.tables.bots import Bot
from tests.factories.bots import NOW
from tests.factories.databases import OwnerSql
from tests.factories.promotions import a_good_backtest, adopted, put_in, traded
from tests.factories.stage_changes import LATER, MUCH_LATER, gates, promote, set_bot, unmet


def test_without_a_baseline_no_figure_is_there_and_each_gate_says_so(tx: Transactions, bot_id: UUID) -> None:
    with pytest.raises(GatesNotMet) as refused:
        promote(tx, bot_id)
    missing = [gate for gate in refused.value.gates if gate.observed is None]
    assert len(missing) == 9
    assert all(gate.reason for gate in missing)
    assert "grade the bot" in missing[0].reason


@pytest.mark.parametrize(
    ("made", "names"),
    [
        ({"losers": False}, ["PROFIT_FACTOR", "SHARPE", "LOSING_TRADES"]),
        ({"trades": 0}, ["TRADES", "WIN_RATE", "MAX_DRAWDOWN", "PROFIT_FACTOR", "EXPECTANCY", "SHARPE"]),
        ({"label": DataLabel.SIMULATED}, ["DATA_LABEL"]),
        ({"analysis": {"truncation": {"passed": True}, "shift": {"passed": False}}}, ["LOOK_AHEAD_GUARD"]),
        ({"analysis": {"truncation": {"passed": True}}}, ["LOOK_AHEAD_GUARD"]),
        ({"analysis": {"truncation": {"passed": True}, "shift": {"passed": "yes"}}}, ["LOOK_AHEAD_GUARD"]),
    ],
)
def test_what_a_backtest_lacks_is_named(tx: Transactions, bot_id: UUID, made: dict[str, Any], names: list[str]) -> None:
    a_good_backtest(tx, bot_id, now=NOW, **made)
    assert set(names) <= set(unmet(gates(tx, bot_id)))
    assert set(unmet(gates(tx, bot_id))) - set(names) <= {"LOSING_TRADES"}


def test_simulated_bars_are_evidence_in_development(tx: Transactions, bot_id: UUID, owner_sql: OwnerSql) -> None:
    a_good_backtest(tx, bot_id, now=NOW, label=DataLabel.SIMULATED)
    assert promote(tx, bot_id, development=True).to is Stage.PAPER
    assert owner_sql("SELECT payload_json ->> 'data_label' FROM bot_stage_events WHERE event_type = 'PROMOTED'") == [
        ("SIMULATED",)
    ]


def test_the_planner_promotes_nobody_on_simulated_bars_even_in_development(tx: Transactions, bot_id: UUID) -> None:
    set_bot(tx, bot_id, promotion_mode=PromotionMode.AUTO)
    a_good_backtest(tx, bot_id, now=NOW, label=DataLabel.SIMULATED)
    with tx() as session:
        assert due_for_promotion(session, now=LATER, development=True) == {}
    with pytest.raises(GatesNotMet) as refused:
        promote(tx, bot_id, PLANNER, development=True)
    assert [gate.name for gate in refused.value.gates if not gate.met] == ["DATA_LABEL"]


def test_in_development_the_planner_promotes_on_imported_bars(tx: Transactions, bot_id: UUID) -> None:
    set_bot(tx, bot_id, promotion_mode=PromotionMode.AUTO)
    a_good_backtest(tx, bot_id, now=NOW, label=DataLabel.IMPORTED)
    with tx() as session:
        assert set(due_for_promotion(session, now=LATER, development=True)) == {bot_id}
    assert promote(tx, bot_id, PLANNER, development=True).to is Stage.PAPER


def test_a_backtest_before_a_reset_or_of_another_version_is_no_evidence(tx: Transactions, ready: UUID) -> None:
    assert unmet(gates(tx, ready)) == []
    with tx() as session:
        change_bot(session, ready, BotChange(params={"fast": 3}), revisions=None, actor="test", now=LATER)
    assert "TRADES" in unmet(gates(tx, ready))
    a_good_backtest(tx, ready, now=LATER)
    assert unmet(gates(tx, ready)) == []
    with tx() as session:
        reset_metrics(session, ResetRequest(MetricsScope.ALL, None, "TEST"), dry_run=False, actor="a", now=LATER)
    assert "TRADES" in unmet(gates(tx, ready))


def test_the_gates_of_a_stage_look_at_its_own_trades_and_days(tx: Transactions, bot_id: UUID) -> None:
    with tx() as session:
        put_in(session, bot_id, Stage.PAPER, at=NOW + timedelta(hours=1))
    found = gates(tx, bot_id, now=NOW + timedelta(hours=2))
    assert unmet(found) == [gate.name for gate in found.gates]
    observed = {gate.name.value: gate.observed for gate in found.gates}
    assert observed == dict.fromkeys(observed, None) | {"TRADES": 0, "TRADING_DAYS": 0}
    assert found.gates[0].reason == "No PAPER trades since 2024-03-01 12:00 UTC."
    with tx() as session:
        traded(session, session.get_one(Bot, bot_id), TradeSource.PAPER, 100)
    assert unmet(gates(tx, bot_id, now=MUCH_LATER)) == ["ROLLS_SEEN", "REPLAY_PARITY"]
    a_good_backtest(tx, bot_id, now=NOW)
    assert unmet(gates(tx, bot_id, now=MUCH_LATER)) == ["REPLAY_PARITY"]


@pytest.mark.parametrize("seen", [False, None])
def test_a_backtest_on_bars_without_contracts_keeps_a_bot_in_paper_with_code_message_and_fix(
    tx: Transactions, bot_id: UUID, seen: bool | None
) -> None:
    looked: dict[str, dict[str, object]] = {name: {"passed": True} for name in ("truncation", "shift")}
    if seen is not None:
        looked["rolls_seen"] = {"passed": seen}
    a_good_backtest(tx, bot_id, now=NOW, analysis=looked)
    assert unmet(gates(tx, bot_id)) == [], "PAPER takes it"
    with tx() as session:
        put_in(session, bot_id, Stage.PAPER, at=NOW + timedelta(hours=1))
        traded(session, session.get_one(Bot, bot_id), TradeSource.PAPER, 100)
    with pytest.raises(GatesNotMet) as refused:
        promote(tx, bot_id, now=MUCH_LATER)
    (found,) = [one for one in refused.value.details if one.field == "ROLLS_SEEN"]
    assert (refused.value.code, found.code) == (ErrorCode.GATE_NOT_MET, "GATE_NOT_MET")
    beginning = {
        None: "Observed nothing, limit every bar names its contract.",
        False: "The newest backtest's bars name no contract, so rolls can't be seen",
    }
    assert found.message.startswith(beginning[seen])
    assert "grade the bot again" in found.message


@pytest.mark.parametrize(("closed_on", "days"), [("21:59", 4), ("22:00", 5)])
def test_a_trading_day_counts_once_it_is_over(tx: Transactions, bot_id: UUID, closed_on: str, days: int) -> None:
    with tx() as session:
        put_in(session, bot_id, Stage.PAPER, at=NOW + timedelta(hours=1))  # a Friday
    found = gates(tx, bot_id, now=datetime.fromisoformat(f"2024-03-08T{closed_on}:00Z"))
    assert {gate.name.value: gate.observed for gate in found.gates}["TRADING_DAYS"] == days


def test_trades_of_another_stage_epoch_or_version_are_no_evidence(tx: Transactions, bot_id: UUID) -> None:
    with tx() as session:
        bot = put_in(session, bot_id, Stage.PAPER, at=NOW)
        traded(session, bot, TradeSource.SHADOW, 10)
        traded(session, bot, TradeSource.PAPER, 10, epoch=1)
        traded(session, bot, TradeSource.PAPER, 10, first_day=NOW - timedelta(days=60))
        traded(session, bot, TradeSource.PAPER, 10)
    assert gates(tx, bot_id, now=MUCH_LATER).gates[0].observed == 10
    with tx() as session:
        change_bot(session, bot_id, BotChange(params={"fast": 3}), revisions=None, actor="test", now=MUCH_LATER)
    assert gates(tx, bot_id, now=MUCH_LATER).gates[0].observed == 0


@pytest.mark.parametrize(
    ("name", "key", "stored"),
    [
        ("WALK_FORWARD", "consistency", None),
        ("WALK_FORWARD", "consistency", True),
        ("OVERFIT_RATIO", "overfit_ratio", "low"),
    ],
)
def test_evidence_that_is_no_figure_is_none(
    tx: Transactions, bot_id: UUID, name: str, key: str, stored: object
) -> None:
    with tx() as session:
        bot = put_in(session, bot_id, Stage.SHADOW, at=NOW)
        adopted(session, bot, evidence={key: stored})
    found = {gate.name.value: gate for gate in gates(tx, bot_id).gates}
    assert (found[name].observed, found[name].met) == (None, False)


def test_live_asks_for_what_nothing_measures_yet(tx: Transactions, ready: UUID) -> None:
    bot_id = ready
    with tx() as session:
        bot = put_in(session, bot_id, Stage.CANARY, at=NOW + timedelta(hours=1))
        traded(session, bot, TradeSource.CANARY, LIMITS[Stage.LIVE].trades)
        adopted(session, bot)
    found = gates(tx, bot_id, now=MUCH_LATER)
    d5 = ["TRADING_ENABLED", "BROKER_CONNECTED", "RISK_ENGINE", "LIVE_DATA"]
    assert unmet(found) == ["SECOND_PERSON", *d5]
    assert {gate.reason for gate in found.gates if gate.name in d5} == {
        "This isn't measured yet; unknown counts as not met."
    }
