"""Caps bind what runs, by type and together."""

import pytest

from fleet.caps import Caps
from fleet.closed_sets import JobType

CAPS = Caps(max_backtests_running=3, max_improve_running=2, max_total_jobs=4)


@pytest.mark.parametrize(
    ("running", "backtests", "improvements"),
    [
        ({}, 3, 2),
        ({JobType.BACKTEST: 2}, 1, 2),
        ({JobType.BACKTEST: 3}, 0, 1),
        ({JobType.IMPROVE: 1, JobType.EVOLVE: 1}, 2, 0),
        ({JobType.BACKTEST: 3, JobType.EVOLVE: 1}, 0, 0),
        ({JobType.BACKTEST: 9}, 0, 0),
    ],
)
def test_what_is_free_is_the_lesser_of_the_types_room_and_the_rooms_of_all(
    running: dict[JobType, int], backtests: int, improvements: int
) -> None:
    assert CAPS.free(JobType.BACKTEST, running) == backtests
    assert CAPS.free(JobType.IMPROVE, running) == improvements
    assert CAPS.free(JobType.EVOLVE, running) == improvements, "EVOLVE counts as IMPROVE"


def test_a_cap_of_zero_lets_nothing_start() -> None:
    assert Caps(0, 0, 9).free(JobType.BACKTEST, {}) == 0
