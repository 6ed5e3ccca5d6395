"""The verdict: every check turns it alone, and the evidence can be stored."""

import json
from dataclasses import replace

import pytest

from trading.improve.limits import Limits
from trading.improve.scores import FoldScore, SetScore
from trading.improve.sharpe import Moments
from trading.improve.verdict import Judgement, Reason, consistency, judge, overfit_ratio

GOOD = SetScore({"n": 2}, 400, 9_000, 200, 5_000, 40, 1_000, Moments(200, 0.4, 0.0, 3.0))
INCUMBENT = SetScore({"n": 1}, 400, 1_000, 200, 500, 40, 100, Moments(200, 0.02, 0.0, 3.0))
NEAR = tuple(replace(GOOD, params={"n": number}, out_net_e4=4_000) for number in (3, 4, 5, 6, 7))
FOLD = FoldScore({"n": 2}, 100, 200, 6.0, 4, 40, (300, 200, 400, 100), 40, (20, 30, 20, 30))
FOLDS = (FOLD,) * 5
LOST = replace(FOLD, out_daily_e4=(-30, 20, -40, 10))
# Who loses money is behind the incumbent too, and has neither consistency nor a ratio.
FOLLOWS = {Reason.LOSES_OUT_OF_SAMPLE: {Reason.BEHIND_THE_INCUMBENT, Reason.INCONSISTENT, Reason.OVERFIT}}


def test_a_set_that_wins_everywhere_is_adopted() -> None:
    verdict = judge(GOOD, INCUMBENT, FOLDS, NEAR, 200)
    assert (verdict.adopt, verdict.reason_code) == (True, Reason.ADOPTED)
    assert all(check["passed"] for check in verdict.evidence["checks"])


@pytest.mark.parametrize(
    ("candidate", "folds", "near", "tried", "reason"),
    [
        (replace(GOOD, params={"n": 1}), FOLDS, NEAR, 200, Reason.NO_BETTER_SET),
        (GOOD, (replace(FOLD, out_trades=5),) * 5, NEAR, 200, Reason.TOO_FEW_OUT_OF_SAMPLE_TRADES),
        (GOOD, (LOST,) * 5, NEAR, 200, Reason.LOSES_OUT_OF_SAMPLE),
        (replace(GOOD, unseen_net_e4=0), FOLDS, NEAR, 200, Reason.LOSES_OUT_OF_SAMPLE),
        (
            GOOD,
            (replace(FOLD, incumbent_out_daily_e4=(300, 200, 400, 100)),) * 5,
            NEAR,
            200,
            Reason.BEHIND_THE_INCUMBENT,
        ),
        (replace(GOOD, unseen_net_e4=100), FOLDS, NEAR, 200, Reason.BEHIND_THE_INCUMBENT),
        (GOOD, (FOLD, FOLD, LOST, LOST, LOST), NEAR, 200, Reason.INCONSISTENT),
        (GOOD, (replace(FOLD, in_sharpe=200.0),) * 5, NEAR, 200, Reason.OVERFIT),
        (GOOD, FOLDS, NEAR, 10**6, Reason.DEFLATED_SHARPE_TOO_LOW),
        (replace(GOOD, shape=Moments(200, None, 0.0, 3.0)), FOLDS, NEAR, 200, Reason.DEFLATED_SHARPE_TOO_LOW),
        (GOOD, FOLDS, (*NEAR[:2], *(replace(near, out_net_e4=400) for near in NEAR[2:])), 200, Reason.NEIGHBOURS_LOSE),
        (GOOD, FOLDS, (), 200, Reason.NEIGHBOURS_LOSE),
        (GOOD, FOLDS, (INCUMBENT,), 200, Reason.NEIGHBOURS_LOSE),
    ],
)
def test_each_fault_alone_rejects_with_its_own_reason(
    candidate: SetScore, folds: tuple[FoldScore, ...], near: tuple[SetScore, ...], tried: int, reason: Reason
) -> None:
    verdict = judge(candidate, INCUMBENT, folds, near, tried)
    assert (verdict.adopt, verdict.reason_code) == (False, reason)
    failed = {check["reason_code"] for check in verdict.evidence["checks"] if not check["passed"]}
    assert failed <= {reason, *FOLLOWS.get(reason, set())}


def test_three_folds_of_five_are_consistent_at_the_stated_limit() -> None:
    folds = (FOLD, FOLD, FOLD, LOST, LOST)
    assert consistency(folds) == 0.6
    assert judge(GOOD, INCUMBENT, folds, NEAR, 200).adopt


def test_limits_are_the_callers() -> None:
    strict = Limits(min_out_trades=201)
    assert judge(GOOD, INCUMBENT, FOLDS, NEAR, 200, limits=strict).reason_code is Reason.TOO_FEW_OUT_OF_SAMPLE_TRADES


@pytest.mark.parametrize("folds", [(LOST,) * 3, (replace(FOLD, in_sharpe=None),) * 3, (replace(FOLD, in_sharpe=-1.0),)])
def test_gains_that_turn_into_losses_have_no_overfit_ratio(folds: tuple[FoldScore, ...]) -> None:
    assert overfit_ratio(folds) is None


def test_a_verdict_goes_through_json_unchanged() -> None:
    for verdict in (judge(GOOD, INCUMBENT, FOLDS, NEAR, 200), judge(INCUMBENT, INCUMBENT, FOLDS, NEAR, 200)):
        text = json.dumps(verdict.as_json(), allow_nan=False)
        assert Judgement.from_json(json.loads(text)) == verdict
        assert [FoldScore.from_json(fold) for fold in json.loads(text)["evidence"]["folds"]] == list(FOLDS)
