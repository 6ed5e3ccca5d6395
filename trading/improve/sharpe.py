"""How likely a Sharpe ratio is more than the luck of many tries.

The deflated Sharpe ratio of D. H. Bailey and M. Lopez de Prado, The Deflated Sharpe Ratio: Correcting for Selection
Bias, Backtest Overfitting and Non-Normality, Journal of Portfolio Management 40 (5), 2014. All ratios in this file are
per day, not per year: the formula takes the ratio in the frequency of the returns.
"""

from dataclasses import dataclass
from math import e, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

from core.errors import invalid
from trading.bars.schema import IntArray

_EULER_MASCHERONI: Final = 0.5772156649015329
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Moments:
    """Shape of D daily profits.

    sharpe: mean over sample deviation (ddof 1), a day; None with fewer than two days or when all are equal.
    skewness: 0 for a symmetric shape. kurtosis: 3 for the normal one (not in excess).
    """

    days: int
    sharpe: float | None
    skewness: float
    kurtosis: float


def moments(daily_e4: IntArray) -> Moments:
    """Return the shape of daily profits, int64[D], in any unit."""
    days = len(daily_e4)
    # Equal days are found on the integers: the deviation of equal floats is not exactly zero.
    if days < 2 or bool((daily_e4 == daily_e4[0]).all()):
        return Moments(days, None, 0.0, 3.0)
    mean = float(daily_e4.mean())
    around = daily_e4 - mean
    spread = float(around.std())
    return Moments(
        days,
        mean / float(around.std(ddof=1)),
        float(((around / spread) ** 3).mean()),
        float(((around / spread) ** 4).mean()),
    )


def expected_best_sharpe(trials: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of `trials` tries without skill is expected to show (the paper's SR0).

    variance: of the tries' ratios, >= 0, in the same frequency. 0 for one try, where there is no choice.

    Raises:
        GantryError: VALIDATION_FAILED for no trial or a negative variance.

    """
    if trials < 1 or not variance >= 0:
        raise invalid(
            f"{trials} trials of variance {variance} are not valid.",
            fix="Use at least 1 trial and a variance of 0 or more.",
        )
    if trials == 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return sqrt(variance) * ((1 - _EULER_MASCHERONI) * first + _EULER_MASCHERONI * second)


def deflated_sharpe(shape: Moments, *, trials: int, variance: float) -> float | None:
    """Return the probability, 0 to 1, that the true Sharpe ratio is above what the best of `trials` shows by luck.

    None where the profits have no Sharpe ratio.
    """
    ratio = shape.sharpe
    if ratio is None:
        return None
    above = ratio - expected_best_sharpe(trials, variance)
    wide = 1 - shape.skewness * ratio + (shape.kurtosis - 1) / 4 * ratio * ratio
    if wide <= 0:  # two values only, all the weight where the formula's variance vanishes
        return 1.0 if above > 0 else 0.0
    return _NORMAL.cdf(above * sqrt(shape.days - 1) / sqrt(wide))


def luck_variance(days: int) -> float:
    """Return the variance of the daily Sharpe ratio that `days` days of no skill show: 1 / (days - 1) (Lo 2002).

    Taken for the tries of a sweep in place of the variance seen: that is mostly the costs of sets that trade more or
    less often, differences that no luck explains, and that would let the worst sets decide about the best.
    """
    return 1 / max(days - 1, 1)


def as_array(daily_e4: list[int]) -> IntArray:
    """Return a stored list of daily profits as int64[D]."""
    return np.array(daily_e4, dtype=np.int64)
