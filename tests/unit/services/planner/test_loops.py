"""A loop's health, from when it last went round: every state."""

import pytest

from services.planner.loops import health_of
from services.planner.status import PLANNER
from sql.queries.planner.loops import LoopAge
from tests.factories.rounds import EVERY_S, LATE_S, age


@pytest.mark.parametrize(
    ("seen", "health"),
    [
        ([], "NEVER"),
        ([age(0.0)], "OK"),
        ([age(LATE_S)], "OK"),
        ([age(LATE_S + 0.1)], "STOPPED"),
        ([age(error="Boom: no")], "FAILING"),
        ([age(LATE_S, error="Boom: no")], "FAILING"),
        ([age(LATE_S + 0.1, error="Boom: no")], "STOPPED"),
        ([age(loop="another")], "NEVER"),
    ],
)
def test_health_by_age_and_error(seen: list[LoopAge], health: str) -> None:
    (found,) = health_of(seen, {PLANNER: EVERY_S})
    assert found.health == health
    assert (found.last_tick_at is None) == (health == "NEVER")
    assert found.every_s == EVERY_S


def test_a_slow_loop_may_be_late_in_its_own_measure() -> None:
    fast, slow = health_of([age(60, loop="fast"), age(60, loop="slow")], {"fast": 2, "slow": 30})
    assert (fast.health, slow.health) == ("STOPPED", "OK")
