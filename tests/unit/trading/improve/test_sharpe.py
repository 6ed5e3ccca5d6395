"""The deflated Sharpe ratio against the figures printed in its paper."""

from math import sqrt

import numpy as np
import pytest

from core.errors import GantryError
from trading.improve.sharpe import Moments, deflated_sharpe, expected_best_sharpe, luck_variance, moments

# Bailey, Lopez de Prado 2014, "A numerical example": five years of 250 days, a yearly ratio of 2.5, and tries whose
# yearly ratios vary by 1/2. The paper prints all figures of this file.
RATIO, DAYS, VARIANCE = 2.5 / sqrt(250), 1250, 0.5 / 250
FAT = Moments(DAYS, RATIO, skewness=-3.0, kurtosis=10.0)
NORMAL = Moments(DAYS, RATIO, skewness=0.0, kurtosis=3.0)


def test_the_best_of_a_hundred_tries_without_skill_shows_what_the_paper_says() -> None:
    assert expected_best_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(("shape", "trials", "printed"), [(FAT, 100, 0.9004), (FAT, 46, 0.9505), (NORMAL, 88, 0.9505)])
def test_the_papers_worked_examples_come_out_to_the_printed_digit(shape: Moments, trials: int, printed: float) -> None:
    assert deflated_sharpe(shape, trials=trials, variance=VARIANCE) == pytest.approx(printed, abs=5e-5)


def test_more_tries_leave_less() -> None:
    left = [deflated_sharpe(FAT, trials=trials, variance=VARIANCE) for trials in (1, 2, 10, 100, 10_000)]
    values = [value for value in left if value is not None]
    assert len(values) == 5
    assert values == sorted(values, reverse=True)


def test_one_try_is_no_choice() -> None:
    assert expected_best_sharpe(1, 0.5) == 0.0


@pytest.mark.parametrize(("trials", "variance"), [(0, 0.1), (5, -0.1), (5, float("nan"))])
def test_tries_that_mean_nothing_are_refused(trials: int, variance: float) -> None:
    with pytest.raises(GantryError):
        expected_best_sharpe(trials, variance)


@pytest.mark.parametrize("daily", [[], [5], [5, 5, 5], [0, 0]])
def test_equal_days_have_no_ratio_and_so_no_deflated_one(daily: list[int]) -> None:
    shape = moments(np.array(daily, dtype=np.int64))
    assert shape.sharpe is None
    assert deflated_sharpe(shape, trials=10, variance=0.1) is None


def test_moments_are_those_of_a_sample_worked_by_hand() -> None:
    shape = moments(np.array([0, 0, 0, 4], dtype=np.int64))  # mean 1, deviations -1 -1 -1 3, variance 3
    assert shape.sharpe == pytest.approx(1 / 2)  # sample variance 4
    assert shape.skewness == pytest.approx(6 / 3**1.5)
    assert shape.kurtosis == pytest.approx(21 / 9)


def test_luck_is_as_wide_as_random_days_show() -> None:
    days = np.random.default_rng(1).standard_normal((4_000, 60))
    seen = np.var(days.mean(axis=1) / days.std(axis=1, ddof=1))
    assert luck_variance(60) == pytest.approx(seen, rel=0.08)
