"""The verdict on a change of parameters: adopt or not, why, and the figures it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from trading.improve.checks import VerdictCheck, at_least, at_most, money_above
from trading.improve.limits import Limits
from trading.improve.reasons import Reason
from trading.improve.scores import FoldScore, SetScore, Values
from trading.improve.sharpe import as_array, deflated_sharpe, expected_best_sharpe, luck_variance
from trading.metrics import sharpe_ratio

_LIMITS: Final = Limits()
_THE_SAME: Final = "The best set in-sample is the one in use."
_NOTHING_TO_JUDGE: Final = "Not evaluated: there is no better set to judge."
_NO_RATIO: Final = "There is no ratio: it takes a Sharpe ratio above 0 in-sample and out-of-sample."
_NO_SHARPE_RATIO: Final = "The candidate's profits have no Sharpe ratio."
_NO_NEIGHBOURS: Final = "The candidate has no neighbours but the set in use."


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
    and put in the evidence, once; the reason is the first that doesn't pass. The out-of-sample figures are those of the
    folds' winners, each chosen without these sessions; to win is to end above 0 and above the incumbent.
    """
    same = candidate.params == incumbent.params
    checks = (
        VerdictCheck(Reason.NO_BETTER_SET, None, None, not same, _THE_SAME if same else None),
        *_out_of_sample(candidate, incumbent, folds, limits),
        *_robust(candidate, incumbent, neighbours, tried, limits),
    )
    if same:
        checks = (checks[0], *(check.not_made(_NOTHING_TO_JUDGE) for check in checks[1:]))
    evidence = _evidence(candidate, incumbent, folds, neighbours, tried, checks)
    failed = next((check.reason_code for check in checks if not check.passed), None)
    return Judgement(failed is None, failed or Reason.ADOPTED, evidence)


def consistency(folds: Sequence[FoldScore]) -> float:
    """Return profitable out-of-sample folds / folds, 0 to 1."""
    return sum(fold.out_net_e4 > 0 for fold in folds) / len(folds)


def out_of_sample_e4(folds: Sequence[FoldScore]) -> tuple[int, int]:
    """Return what the folds' winners made out-of-sample, and what the incumbent made in the same sessions."""
    return sum(fold.out_net_e4 for fold in folds), sum(fold.incumbent_out_net_e4 for fold in folds)


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
) -> tuple[VerdictCheck, ...]:
    trades = sum(fold.out_trades for fold in folds)
    won, won_before = out_of_sample_e4(folds)
    share, overfit = consistency(folds), overfit_ratio(folds)
    unseen, unseen_before = candidate.unseen_net_e4, incumbent.unseen_net_e4
    return (
        at_least(Reason.TOO_FEW_OUT_OF_SAMPLE_TRADES, trades, limits.min_out_trades),
        money_above(Reason.LOSES_OUT_OF_SAMPLE, won, 0),
        money_above(Reason.LOSES_ON_UNSEEN_SESSIONS, unseen, 0),
        money_above(Reason.BEHIND_THE_INCUMBENT, won, won_before),
        money_above(Reason.BEHIND_ON_UNSEEN_SESSIONS, unseen, unseen_before),
        at_least(Reason.INCONSISTENT, share, limits.min_consistency),
        at_most(Reason.OVERFIT, overfit, limits.max_overfit, _NO_RATIO),
    )


def _robust(
    candidate: SetScore, incumbent: SetScore, neighbours: Sequence[SetScore], tried: int, limits: Limits
) -> tuple[VerdictCheck, ...]:
    to_beat = max(0, incumbent.tested_net_e4)
    winning = [near.tested_net_e4 > to_beat for near in neighbours if near.params != incumbent.params]
    share = sum(winning) / len(winning) if winning else None
    return (
        at_least(
            Reason.DEFLATED_SHARPE_TOO_LOW, _deflated(candidate, tried), limits.min_deflated_sharpe, _NO_SHARPE_RATIO
        ),
        at_least(Reason.NEIGHBOURS_LOSE, share, limits.min_neighbours, _NO_NEIGHBOURS),
    )


def _deflated(candidate: SetScore, tried: int) -> float | None:
    return deflated_sharpe(candidate.shape, trials=tried, variance=luck_variance(candidate.shape.days))


def _evidence(
    candidate: SetScore,
    incumbent: SetScore,
    folds: Sequence[FoldScore],
    neighbours: Sequence[SetScore],
    tried: int,
    checks: tuple[VerdictCheck, ...],
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
