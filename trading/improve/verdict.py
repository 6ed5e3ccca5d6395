"""The verdict on a change of parameters: adopt or not, why, and the figures it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

import numpy as np

from trading.improve.limits import Limits
from trading.improve.scores import FoldScore, SetScore, Values
from trading.improve.sharpe import as_array, deflated_sharpe, expected_best_sharpe, luck_variance
from trading.metrics import sharpe_ratio

_LIMITS: Final = Limits()


class Reason(StrEnum):
    """Why a change was adopted, or the first check it failed, in this order."""

    ADOPTED = "ADOPTED"
    NO_BETTER_SET = "NO_BETTER_SET"
    TOO_FEW_OUT_OF_SAMPLE_TRADES = "TOO_FEW_OUT_OF_SAMPLE_TRADES"
    LOSES_OUT_OF_SAMPLE = "LOSES_OUT_OF_SAMPLE"
    BEHIND_THE_INCUMBENT = "BEHIND_THE_INCUMBENT"
    INCONSISTENT = "INCONSISTENT"
    OVERFIT = "OVERFIT"
    DEFLATED_SHARPE_TOO_LOW = "DEFLATED_SHARPE_TOO_LOW"
    NEIGHBOURS_LOSE = "NEIGHBOURS_LOSE"


@dataclass(frozen=True, slots=True)
class Judgement:
    """adopt: whether to make a version of the candidate. evidence: JSON-able, to be stored with it either way."""

    adopt: bool
    reason_code: Reason
    evidence: Values

    def as_json(self) -> Values:
        """Return the fields ready for JSON; `from_json` reads them back."""
        return {"adopt": self.adopt, "reason_code": self.reason_code.value, "evidence": self.evidence}

    @classmethod
    def from_json(cls, values: Values) -> "Judgement":
        """Return what `as_json` wrote."""
        return cls(values["adopt"], Reason(values["reason_code"]), values["evidence"])


@dataclass(frozen=True, slots=True)
class _Check:
    """One condition. observed: None where there was nothing to measure, which proves nothing and fails."""

    reason: Reason
    observed: float | None
    limit: float
    passed: bool

    def as_json(self) -> Values:
        return {
            "reason_code": self.reason.value,
            "observed": self.observed,
            "limit": self.limit,
            "passed": self.passed,
        }


def judge(
    candidate: SetScore,
    incumbent: SetScore,
    folds: Sequence[FoldScore],
    neighbours: Sequence[SetScore],
    tried: int,
    *,
    limits: Limits = _LIMITS,
) -> Judgement:
    """Judge a candidate against the set in use.

    folds: in order of time, at least one; the candidate is the last one's winner, so that its `unseen` sessions were
    no part of any choice. tried: parameter sets tried on these bars, the incumbent's among them. Every check is made
    and put in the evidence; the reason is the first that fails. The out-of-sample figures are those of the folds'
    winners, each chosen without these sessions; to win is to end above 0 and above the incumbent.
    """
    if candidate.params == incumbent.params:
        return Judgement(False, Reason.NO_BETTER_SET, _evidence(candidate, incumbent, folds, neighbours, tried, ()))
    checks = (
        *_out_of_sample(candidate, incumbent, folds, limits),
        *_robust(candidate, incumbent, neighbours, tried, limits),
    )
    evidence = _evidence(candidate, incumbent, folds, neighbours, tried, checks)
    failed = next((check.reason for check in checks if not check.passed), None)
    return Judgement(failed is None, failed or Reason.ADOPTED, evidence)


def consistency(folds: Sequence[FoldScore]) -> float:
    """Return profitable out-of-sample folds / folds, 0 to 1."""
    return sum(fold.out_net_e4 > 0 for fold in folds) / len(folds)


def overfit_ratio(folds: Sequence[FoldScore]) -> float | None:
    """Return the winners' mean in-sample Sharpe ratio over that of all their out-of-sample sessions.

    None unless both are above 0: in-sample gains that turn into losses have no ratio.
    """
    inside = [fold.in_sharpe for fold in folds if fold.in_sharpe is not None]
    outside = sharpe_ratio(as_array(list(chain.from_iterable(fold.out_daily_e4 for fold in folds))))
    if not inside or outside is None or outside <= 0 or np.mean(inside) <= 0:
        return None
    return float(np.mean(inside)) / outside


def _out_of_sample(
    candidate: SetScore, incumbent: SetScore, folds: Sequence[FoldScore], limits: Limits
) -> tuple[_Check, ...]:
    trades = sum(fold.out_trades for fold in folds)
    net = sum(fold.out_net_e4 for fold in folds)
    ahead = net - sum(fold.incumbent_out_net_e4 for fold in folds)
    unseen_ahead = candidate.unseen_net_e4 - incumbent.unseen_net_e4
    share, overfit = consistency(folds), overfit_ratio(folds)
    few = limits.min_out_trades
    return (
        _Check(Reason.TOO_FEW_OUT_OF_SAMPLE_TRADES, trades, few, trades >= few),
        _Check(Reason.LOSES_OUT_OF_SAMPLE, net, 0, net > 0),
        _Check(Reason.LOSES_OUT_OF_SAMPLE, candidate.unseen_net_e4, 0, candidate.unseen_net_e4 > 0),
        _Check(Reason.BEHIND_THE_INCUMBENT, ahead, 0, ahead > 0),
        _Check(Reason.BEHIND_THE_INCUMBENT, unseen_ahead, 0, unseen_ahead > 0),
        _Check(Reason.INCONSISTENT, share, limits.min_consistency, share >= limits.min_consistency),
        _Check(Reason.OVERFIT, overfit, limits.max_overfit, overfit is not None and overfit <= limits.max_overfit),
    )


def _robust(
    candidate: SetScore, incumbent: SetScore, neighbours: Sequence[SetScore], tried: int, limits: Limits
) -> tuple[_Check, ...]:
    level, share = limits.min_deflated_sharpe, limits.min_neighbours
    deflated = _deflated(candidate, tried)
    winning = [near.out_net_e4 > max(0, incumbent.out_net_e4) for near in neighbours if near.params != incumbent.params]
    won = sum(winning) / len(winning) if winning else None
    return (
        _Check(Reason.DEFLATED_SHARPE_TOO_LOW, deflated, level, deflated is not None and deflated >= level),
        _Check(Reason.NEIGHBOURS_LOSE, won, share, won is not None and won >= share),
    )


def _deflated(candidate: SetScore, tried: int) -> float | None:
    return deflated_sharpe(candidate.shape, trials=tried, variance=luck_variance(candidate.shape.days))


def _evidence(
    candidate: SetScore,
    incumbent: SetScore,
    folds: Sequence[FoldScore],
    neighbours: Sequence[SetScore],
    tried: int,
    checks: tuple[_Check, ...],
) -> Values:
    return {
        "checks": [check.as_json() for check in checks],
        "tried": tried,
        "candidate": candidate.as_json(),
        "incumbent": incumbent.as_json(),
        "folds": [fold.as_json() for fold in folds],
        "neighbours": [near.as_json() for near in neighbours],
        "consistency": consistency(folds),
        "overfit_ratio": overfit_ratio(folds),
        "deflated_sharpe": _deflated(candidate, tried),
        "luck_sharpe": expected_best_sharpe(tried, luck_variance(candidate.shape.days)),
    }
