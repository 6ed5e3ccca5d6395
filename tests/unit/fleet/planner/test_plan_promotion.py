"""A bot whose gates are met is promoted by the planner, or says who holds it back; its work goes on meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.closed_sets import DueReason, NotEnqueued, PromotionMode, Stage
from fleet.planner.plan import plan
from fleet.planner.result import FleetPlan
from fleet.planner.types import BotSnapshot, FleetSnapshot, PlannerCaps
from tests.factories.planner import NOW, a_baseline, a_bot, graded, improved, minutes, queued

SOON, JUST_OVER = NOW + timedelta(seconds=1), NOW
AUTO, MANUAL = PromotionMode.AUTO, PromotionMode.MANUAL


def planned(bot: BotSnapshot) -> FleetPlan:
    return plan(FleetSnapshot((bot,)), PlannerCaps(), NOW)


def resting(**changes: Any) -> BotSnapshot:
    """A bot for which nothing but its promotion is due."""
    return improved(ago=minutes(1), **{"promotion_due": True} | changes)


@pytest.mark.parametrize(
    ("mode", "locked_until", "expected"),
    [
        (AUTO, None, None),
        (AUTO, JUST_OVER, None),
        (AUTO, SOON, NotEnqueued.STAGE_LOCKED),
        (MANUAL, None, NotEnqueued.PROMOTION_MANUAL),
        (MANUAL, JUST_OVER, NotEnqueued.PROMOTION_MANUAL),
        (MANUAL, SOON, NotEnqueued.STAGE_LOCKED),
    ],
)
def test_a_due_promotion_happens_or_says_who_holds_it_back(
    mode: PromotionMode, locked_until: Any, expected: NotEnqueued | None
) -> None:
    bot = resting(promotion_mode=mode, stage_locked_until=locked_until)
    found = planned(bot)
    assert found.promote == (() if expected else (bot.id,))
    assert found.not_enqueued[bot.id] is (expected or NotEnqueued.BASELINE_FRESH)


def test_a_bot_that_is_about_to_leave_gets_no_further_work_and_one_held_back_does() -> None:
    leaving = graded(promotion_due=True, promotion_mode=AUTO)
    assert planned(leaving).enqueue == ()
    assert planned(leaving).promote == (leaving.id,)
    held = graded(promotion_due=True, promotion_mode=MANUAL)
    assert [job.reason for job in planned(held).enqueue] == [DueReason.IMPROVE_DUE]


@pytest.mark.parametrize("mode", [AUTO, MANUAL])
def test_evidence_that_is_to_be_made_anew_promotes_nobody(mode: PromotionMode) -> None:
    bot = a_bot(baseline=a_baseline(timedelta(hours=7)), promotion_due=True, promotion_mode=mode)
    assert planned(bot).promote == ()
    assert [job.reason for job in planned(bot).enqueue] == [DueReason.BASELINE_OLD]


@pytest.mark.parametrize(
    "changes",
    [{"active": queued()}, {"archived": True}, {"stage": Stage.PAPER}, {"promotion_due": False}],
    ids=["at work", "archived", "above", "not due"],
)
def test_nobody_else_is_promoted(changes: dict[str, Any]) -> None:
    found = planned(resting(promotion_mode=AUTO, **changes))
    assert found.promote == ()
    assert set(found.not_enqueued.values()).isdisjoint({NotEnqueued.STAGE_LOCKED, NotEnqueued.PROMOTION_MANUAL})
