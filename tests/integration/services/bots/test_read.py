"""Bots as they are read: one, or a page of them. What a filter and an order go by is what is shown."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from fleet.bot_filter import BotFilter, BotOrder, BotSort
from fleet.bot_now import AlertCode, AlertLevel
from fleet.closed_sets import BotState, DataLabel, Stage, Tier
from fleet.stages import ORDER
from services.bots.read import BotSummary, get_bot, page_bots
from sql.engine import Transactions
from tests.factories.bots import NOW
from tests.factories.shown_fleet import KINDS, LATER, shown_fleet


def test_an_unknown_bot_is_not_found(tx: Transactions) -> None:
    with tx() as session, pytest.raises(GantryError) as refused:
        get_bot(session, UUID(int=7), now=NOW)
    assert refused.value.code is ErrorCode.NOT_FOUND


@pytest.fixture
def listed(session: Session) -> Callable[..., Sequence[BotSummary]]:
    """Return what a list of the fleet shows, whole."""
    shown_fleet(session)

    def rows(which: BotFilter | None = None, order: BotOrder | None = None) -> Sequence[BotSummary]:
        page = page_bots(session, which or BotFilter(), order or BotOrder(), limit=100, now=LATER)
        assert page.following is None
        return page.rows

    return rows


RESULTS = frozenset(
    {
        BotSort.NET_PNL,
        BotSort.WIN_RATE,
        BotSort.MAX_DRAWDOWN_USD,
        BotSort.SHARPE,
        BotSort.PROFIT_FACTOR,
        BotSort.AUTONOMY_SCORE,
    }
)


def value_of(bot: BotSummary, by: BotSort) -> Any:
    """Return what a bot shows of that by which it is sorted; results of a disqualified bot count for nothing."""
    if by in RESULTS and bot.locked_by is not None:
        return None
    match by:
        case BotSort.STAGE:
            return ORDER.index(bot.stage)
        case BotSort.STATE:
            return bot.bot_now.state.value
        case _:
            return getattr(bot if by.value in BotSummary.__slots__ else bot.metrics, by.value)


def names(bots: Sequence[BotSummary]) -> list[str]:
    return [bot.name for bot in bots]


def test_the_fleet_of_these_tests_has_bots_of_each_kind(listed: Callable[..., Sequence[BotSummary]]) -> None:
    bots = listed()
    assert len(bots) == len(KINDS) - 1
    assert {bot.bot_now.state for bot in bots} >= {BotState.IDLE, BotState.BLOCKED, BotState.IMPROVING_RUNNING}
    assert {bot.data_label for bot in bots} == {None, *DataLabel}
    codes = {alert.code for bot in bots for alert in bot.bot_now.alerts}
    assert codes == {"LOOK_AHEAD", "GUARD_FAILED", "STRATEGY_ERROR", "RETRIES_EXHAUSTED", "SIMULATED_DATA"}
    assert [bot.name for bot in bots if bot.autonomy_tier is Tier.FULL_AUTONOMY] == []


def test_a_filter_holds_the_bots_that_show_the_value(listed: Callable[..., Sequence[BotSummary]]) -> None:
    bots = listed()
    for state in BotState:
        assert names(listed(BotFilter(state=state))) == names([b for b in bots if b.bot_now.state is state]), state
    for tier in Tier:
        assert names(listed(BotFilter(tier=tier))) == names([b for b in bots if b.autonomy_tier == tier]), tier
    for label in DataLabel:
        assert names(listed(BotFilter(label=label))) == names([b for b in bots if b.data_label == label]), label
    for stage in Stage:
        assert names(listed(BotFilter(stage=stage))) == names([b for b in bots if b.stage is stage]), stage


def test_a_filter_by_an_alert_goes_by_its_level_or_its_code(listed: Callable[..., Sequence[BotSummary]]) -> None:
    bots = listed()
    for wanted in (*AlertLevel, *AlertCode, *ErrorCode):
        having = [bot for bot in bots if any(wanted in {a.level, a.code} for a in bot.bot_now.alerts)]
        assert names(listed(BotFilter(alert=wanted))) == names(having), wanted
    blocked = ["doubly blocked", "unguarded", "reads ahead", "lost", "broken"]
    assert names(listed(BotFilter(alert=AlertLevel.BLOCKED))) == blocked


def test_filters_that_are_given_together_all_hold(listed: Callable[..., Sequence[BotSummary]]) -> None:
    both = BotFilter(tier=Tier.LOCKED, alert=AlertLevel.BLOCKED, label=DataLabel.SIMULATED, state=BotState.BLOCKED)
    assert names(listed(both)) == ["lost", "broken"]
    assert names(listed(BotFilter(tier=Tier.LOCKED, label=DataLabel.IMPORTED))) == ["idle trader"]


def test_a_list_is_sorted_by_what_it_shows(listed: Callable[..., Sequence[BotSummary]]) -> None:
    bots = listed()
    for by in BotSort:
        values = {bot.id: value_of(bot, by) for bot in bots}
        for descending in (False, True):
            rows = listed(order=BotOrder(by, descending))
            known = [(value, bot_id) for bot_id, value in values.items() if value is not None]
            without = [bot_id for bot_id, value in values.items() if value is None]
            expected = [bot_id for _value, bot_id in sorted(known, reverse=descending)]
            assert [bot.id for bot in rows] == expected + sorted(without, reverse=descending), (by, descending)


def test_no_order_by_results_puts_a_disqualified_bot_above_an_honest_one(
    listed: Callable[..., Sequence[BotSummary]],
) -> None:
    assert [bot for bot in listed() if bot.locked_by is None and bot.metrics.net_pnl is not None]
    for by in RESULTS:
        rows = listed(order=BotOrder(by))
        honest = [place for place, bot in enumerate(rows) if bot.locked_by is None and value_of(bot, by) is not None]
        cheats = [place for place, bot in enumerate(rows) if bot.locked_by is not None]
        assert len(cheats) == 3
        assert max(honest, default=-1) < min(cheats), by


def test_archived_bots_are_listed_apart(listed: Callable[..., Sequence[BotSummary]]) -> None:
    (gone,) = listed(BotFilter(archived=True))
    assert (gone.name, gone.archived_at) == ("gone", LATER)
    assert listed(BotFilter(archived=True, tier=Tier.LOCKED)) == []
    assert {bot.archived_at for bot in listed()} == {None}
