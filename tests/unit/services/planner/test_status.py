"""Whether the fleet is being looked after: the worst of its loops, the planner's own, and the daemon's."""

import pytest

from services.planner.loops import health_of
from services.planner.status import NO_ROUND, PLANNER, judged, worst
from sql.queries.planner.loops import LoopAge
from tests.factories.rounds import AT, EVERY_S, LATE_S, age


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ({"a": 1, "b": 1}, "OK"),
        ({"a": 1, "b": None}, "NEVER"),
        ({"a": 1, "b": 1000}, "STOPPED"),
        ({"a": 1000, "b": None}, "NEVER"),
    ],
)
def test_the_worst_of_all_is_shown(ages: dict[str, float | None], expected: str) -> None:
    seen = [age(age_s, loop=loop) for loop, age_s in ages.items() if age_s is not None]
    assert worst(health_of(seen, dict.fromkeys(ages, EVERY_S))) == expected


def test_a_loop_that_fails_is_worse_than_one_that_is_well_and_better_than_one_that_stopped() -> None:
    failing, well, stopped = age(loop="a", error="Boom"), age(loop="b"), age(1000, loop="c")
    assert worst(health_of([failing, well], {"a": 10, "b": 10})) == "FAILING"
    assert worst(health_of([failing, stopped], {"a": 10, "c": 10})) == "STOPPED"


def test_without_any_loop_nothing_is_called_well() -> None:
    status = judged((), None)
    assert (status.active, status.loop_health, status.daemon.healthy) == (False, "NEVER", False)
    assert status.daemon.reason == NO_ROUND


@pytest.mark.parametrize(
    ("planner", "active"), [(age(), True), (age(error="Boom"), False), (age(LATE_S + 1), False), (None, False)]
)
def test_only_a_planner_that_is_well_is_active(planner: LoopAge | None, *, active: bool) -> None:
    seen = [age(loop="other"), *([planner] if planner else [])]
    status = judged(health_of(seen, {PLANNER: EVERY_S, "other": EVERY_S}), None)
    assert status.active is active
    assert status.daemon.healthy


@pytest.mark.parametrize(("newest_s", "healthy"), [(26.0, True), (26.1, False)])
def test_the_daemon_is_as_late_as_its_quickest_loop_though_a_slow_one_may_wait(
    newest_s: float, *, healthy: bool
) -> None:
    seen = [age(newest_s), age(40, loop="quick")]
    status = judged(health_of(seen, {PLANNER: EVERY_S, "quick": 2}), None)
    assert status.daemon.healthy is healthy
    assert status.daemon.last_heartbeat_at == AT
