"""Checks are judged over the bots that are active and graded now, by what was found in the sessions that count."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import pytest

from fleet.closed_sets import RawCheck
from services.proof.checks import FINDINGS, MOST_NAMED, RuleVerdict, fleet_verdicts, judge_bots, judge_pending
from sql.engine import Transactions
from sql.tables.bots import Bot
from sql.tables.results import BacktestSession
from tests.factories.databases import OwnerSql
from tests.factories.judged import make_judged
from tests.factories.results import make_session
from tests.factories.standing import begin_epoch, begin_version, make_rollup
from tests.factories.statements import count_statements
from trading.backtest.findings import Check

GUARDS: Final = frozenset({Check.TRUNCATION, Check.SHIFT})
RULES: Final[Mapping[str, Collection[str]]] = {
    "guards": GUARDS,
    "trades": {Check.TOO_FEW_TRADES},
    "raw": frozenset(RawCheck),
}


def verdicts(tx: Transactions) -> Mapping[str, RuleVerdict]:
    with tx() as session:
        return fleet_verdicts(session, RULES)


def names(verdict: RuleVerdict) -> list[tuple[str, tuple[str, ...]]]:
    return [(bot.name, bot.checks) for bot in verdict.failing]


def test_a_bot_fails_the_rules_whose_checks_failed_or_did_not_run(tx: Transactions) -> None:
    with tx() as session:
        bots = [
            make_judged(session, "honest"),
            make_judged(session, "cheat", failed=[Check.SHIFT, Check.TRUNCATION]),
            make_judged(session, "lazy", failed=[Check.TOO_FEW_TRADES], missing=[Check.TRUNCATION]),
        ]
        keys = {bot.name: bot.partition_key for bot in bots}
    judge_bots(tx, [bot.id for bot in bots], sum_raw=True)
    found = verdicts(tx)
    assert names(found["guards"]) == [("cheat", ("truncation", "shift")), ("lazy", ("truncation",))]
    assert names(found["trades"]) == [("lazy", ("too_few_trades",))]
    assert [bot.partition_key for bot in found["guards"].failing] == [keys["cheat"], keys["lazy"]]
    assert (found["guards"].judged, found["guards"].failing_count) == (3, 2)
    assert found["raw"] == RuleVerdict(3, 0, ())


@pytest.mark.parametrize("change", ["archived", "reset", "another version"])
def test_a_bot_that_is_not_graded_now_or_archived_fails_nothing(tx: Transactions, change: str) -> None:
    with tx() as session:
        honest, cheat = make_judged(session, "honest"), make_judged(session, "cheat", failed=[Check.SHIFT])
    judge_bots(tx, [honest.id, cheat.id], sum_raw=False)
    assert verdicts(tx)["guards"].failing_count == 1
    with tx() as session:
        bot = session.get_one(Bot, cheat.id)
        if change == "archived":
            bot.archived_at = datetime.now(UTC)
        elif change == "reset":
            begin_epoch(session, bot)
        else:
            begin_version(session, bot)
    assert verdicts(tx)["guards"] == RuleVerdict(1, 0, ())


def test_a_bot_that_is_graded_anew_is_judged_by_its_new_session_alone(tx: Transactions) -> None:
    with tx() as session:
        cheat = make_judged(session, "cheat", failed=[Check.SHIFT])
    judge_pending(tx)
    assert verdicts(tx)["guards"].failing_count == 1
    with tx() as session:
        bot = session.get_one(Bot, cheat.id)
        better = make_session(session, bot, trades=3, analysis={key: {"passed": True} for key in FINDINGS})
        make_rollup(session, bot, trades=3, session_id=better.id)
    assert verdicts(tx)["guards"].failing_count == 1, "nobody judged it yet"
    judge_pending(tx)
    assert verdicts(tx)["guards"] == RuleVerdict(1, 0, ())


def test_what_was_graded_and_never_judged_is_judged_at_the_next_look(tx: Transactions) -> None:
    with tx() as session:
        make_judged(session, "cheat", failed=[Check.SHIFT])
    assert verdicts(tx)["guards"] == RuleVerdict(0, 0, ())
    judge_pending(tx)
    assert names(verdicts(tx)["guards"]) == [("cheat", ("shift",))]


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("UPDATE trade_logs SET gross_pnl = gross_pnl + 0.01 WHERE seq = 0", ("TRADES_DIFFER", "METRICS_DIFFER")),
        ("DELETE FROM trade_logs WHERE seq = 2", ("TRADES_DIFFER", "METRICS_DIFFER")),
        ("UPDATE bot_metrics_rollups SET net_pnl = net_pnl + 0.01", ("METRICS_DIFFER",)),
        ("UPDATE bot_metrics_rollups SET open_pnl = open_pnl + 0.01", ("METRICS_DIFFER",)),
        ("UPDATE bot_metrics_rollups SET wins = wins + 1", ("METRICS_DIFFER",)),
        ("UPDATE bot_metrics_rollups SET max_drawdown_usd = 1", ("METRICS_DIFFER",)),
        ("DELETE FROM autonomy_scores", ("NO_SCORE",)),
    ],
)
def test_what_differs_from_raw_rows_is_found_as_soon_as_they_are_summed(
    tx: Transactions, owner_sql: OwnerSql, fault: str, found: tuple[str, ...]
) -> None:
    with tx() as session:
        bot = make_judged(session, "one")
    owner_sql("ALTER TABLE trade_logs DISABLE TRIGGER insert_only")
    owner_sql(fault)
    judge_bots(tx, [bot.id], sum_raw=False)
    assert verdicts(tx)["raw"] == RuleVerdict(0, 0, ()), "its raw rows were not summed yet"
    judge_pending(tx)
    assert names(verdicts(tx)["raw"]) == [("one", found)]


def test_a_rollup_derived_anew_is_compared_anew(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tx() as session:
        bot = make_judged(session, "one")
    judge_bots(tx, [bot.id], sum_raw=True)
    assert verdicts(tx)["raw"] == RuleVerdict(1, 0, ())
    owner_sql("UPDATE bot_metrics_rollups SET wins = 0")
    judge_bots(tx, [bot.id], sum_raw=True)
    assert names(verdicts(tx)["raw"]) == [("one", ("METRICS_DIFFER",))]


def test_the_twenty_oldest_are_named_and_all_are_counted(tx: Transactions) -> None:
    with tx() as session:
        for number in range(MOST_NAMED + 2):
            make_judged(session, f"bot {number:02}", failed=[Check.TRUNCATION])
    judge_pending(tx)
    found = verdicts(tx)["guards"]
    assert (found.judged, found.failing_count) == (MOST_NAMED + 2, MOST_NAMED + 2)
    assert [bot.name for bot in found.failing] == [f"bot {number:02}" for number in range(MOST_NAMED)]


def test_a_fleet_of_any_size_takes_as_many_statements_as_two_bots(tx: Transactions) -> None:
    def look() -> None:
        judge_pending(tx)
        verdicts(tx)

    with tx() as session:
        engine = session.get_bind().engine
        make_judged(session, "first")
        make_judged(session, "second", failed=[Check.TRUNCATION])
    counts = [count_statements(engine, look)]
    with tx() as session:
        for number in range(20):
            make_judged(session, f"bot {number}", failed=[Check.TRUNCATION, Check.TOO_FEW_TRADES])
    counts.append(count_statements(engine, look))
    assert counts[0] == counts[1]


def test_verdicts_rest_on_sessions_that_completed(tx: Transactions) -> None:
    """A rollup names a completed session; the verdict is of that one, not of the newest row."""
    with tx() as session:
        bot = make_judged(session, "one")
        stored: BacktestSession = make_session(session, bot, trades=2, net_pnl=Decimal(1), analysis={})
    judge_pending(tx)
    assert verdicts(tx)["guards"] == RuleVerdict(1, 0, ()), stored.id
