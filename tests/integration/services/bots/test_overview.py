"""The fleet's counts are those of the list."""

from collections import Counter

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fleet.bot_filter import BotFilter
from fleet.closed_sets import BotState, DataLabel, Stage, Tier
from services.bots.overview import count_bots, fleet_overview
from services.bots.read import page_bots
from sql.engine import Transactions
from tests.factories.shown_fleet import LATER, shown_fleet
from tests.factories.statements import statements


def test_counts_are_those_of_the_listed_bots(session: Session) -> None:
    shown_fleet(session)
    bots = page_bots(session, BotFilter(), limit=100, now=LATER).rows
    fleet = fleet_overview(session)
    assert (fleet.total, fleet.archived) == (len(bots), 1)
    assert fleet.by_stage == dict.fromkeys(Stage, 0) | Counter(bot.stage for bot in bots)
    assert fleet.by_state == dict.fromkeys(BotState, 0) | Counter(bot.bot_now.state for bot in bots)
    tiers = Counter(bot.autonomy_tier for bot in bots)
    assert fleet.by_autonomy_tier == {tier: tiers[tier] for tier in Tier}
    assert fleet.not_scored == tiers[None]
    for label in DataLabel:
        nets = [bot.metrics.net_pnl for bot in bots if bot.data_label == label]
        total = fleet.by_data_label[label]
        assert (total.bots, total.net_pnl) == (len(nets), sum(net for net in nets if net is not None))
    assert fleet.not_graded == len([bot for bot in bots if bot.metrics.net_pnl is None])
    assert fleet.alerts == Counter(alert.code for bot in bots for alert in bot.bot_now.alerts)


def test_an_empty_fleet_has_zeros(session: Session) -> None:
    fleet = fleet_overview(session)
    assert (fleet.total, fleet.archived, fleet.not_scored, fleet.not_graded, fleet.alerts) == (0, 0, 0, 0, {})
    assert set(fleet.by_stage.values()) == set(fleet.by_state.values()) == {0}


def test_a_filter_is_counted(session: Session) -> None:
    shown_fleet(session)
    assert count_bots(session, BotFilter(state=BotState.BLOCKED)) == 5
    assert count_bots(session, BotFilter(archived=True)) == 1


def test_an_overview_takes_two_statements(engine: Engine, tx: Transactions) -> None:
    with tx() as session:
        shown_fleet(session)
    with tx() as session, statements(engine) as seen:
        fleet_overview(session)
    assert len(seen) == 2
