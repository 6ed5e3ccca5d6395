"""A lost job waits longer from attempt to attempt, and no two wait alike."""

import pytest

from fleet.backoff import backoff


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 16), (3, 81), (5, 625)])
def test_the_pause_is_the_fourth_power_of_the_attempt_within_a_tenth(attempt: int, seconds: int) -> None:
    assert backoff(attempt, 0).total_seconds() == pytest.approx(seconds)
    assert backoff(attempt, -1).total_seconds() == pytest.approx(0.9 * seconds)
    assert backoff(attempt, 1).total_seconds() == pytest.approx(1.1 * seconds)


def test_jitter_is_held_to_its_range() -> None:
    assert backoff(1, 99) == backoff(1, 1)
    assert backoff(1, -99) == backoff(1, -1)
