"""The verdict: every check turns it alone, and the evidence can be stored."""

import json
from dataclasses import replace

import pytest

from tests.factories.judged_sets import FOLD, FOLDS, GOOD, INCUMBENT, NEAR
from trading.improve.limits import Limits
from trading.improve.reasons import Reason
from trading.improve.scores import FoldScore, SetScore
from trading.improve.sharpe import Moments
from trading.improve.verdict import Judgement, consistency, judge, overfit_ratio

LOST = replace(FOLD, out_daily_e4=(-30, 20, -40, 10))
# Who loses money is behind the incumbent too, and has neither consistency nor a ratio.
FOLLOWS = {
    Reason.LOSES_OUT_OF_SAMPLE: {Reason.BEHIND_THE_INCUMBENT, Reason.INCONSISTENT, Reason.OVERFIT},
    Reason.LOSES_ON_UNSEEN_SESSIONS: {Reason.BEHIND_ON_UNSEEN_SESSIONS},
    Reason.NO_BETTER_SET: set(Reason),
}


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
        (replace(GOOD, unseen_net_e4=0), FOLDS, NEAR, 200, Reason.LOSES_ON_UNSEEN_SESSIONS),
        (
            GOOD,
            (replace(FOLD, incumbent_out_daily_e4=(300, 200, 400, 100)),) * 5,
            NEAR,
            200,
            Reason.BEHIND_THE_INCUMBENT,
        ),
        (replace(GOOD, unseen_net_e4=100), FOLDS, NEAR, 200, Reason.BEHIND_ON_UNSEEN_SESSIONS),
        (GOOD, (FOLD, FOLD, LOST, LOST, LOST), NEAR, 200, Reason.INCONSISTENT),
        (GOOD, (replace(FOLD, in_sharpe=200.0),) * 5, NEAR, 200, Reason.OVERFIT),
        (GOOD, FOLDS, NEAR, 10**6, Reason.DEFLATED_SHARPE_TOO_LOW),
        (replace(GOOD, shape=Moments(200, None, 0.0, 3.0)), FOLDS, NEAR, 200, Reason.DEFLATED_SHARPE_TOO_LOW),
        (
            GOOD,
            FOLDS,
            (*NEAR[:2], *(replace(near, tested_net_e4=400) for near in NEAR[2:])),
            200,
            Reason.NEIGHBOURS_LOSE,
        ),
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


def test_each_rule_is_checked_once_with_what_was_observed_beside_its_limit() -> None:
    checks = judge(GOOD, INCUMBENT, FOLDS, NEAR, 200).evidence["checks"]
    rules = [check["reason_code"] for check in checks]
    assert rules == [reason.value for reason in Reason if reason is not Reason.ADOPTED]
    by_rule = {check["reason_code"]: (check["observed"], check["limit"]) for check in checks}
    assert by_rule["LOSES_OUT_OF_SAMPLE"] == ("0.50", "0.00")
    assert by_rule["BEHIND_THE_INCUMBENT"] == ("0.50", "0.05")
    assert by_rule["LOSES_ON_UNSEEN_SESSIONS"] == ("0.10", "0.00")
    assert by_rule["BEHIND_ON_UNSEEN_SESSIONS"] == ("0.10", "0.01")
    assert by_rule["TOO_FEW_OUT_OF_SAMPLE_TRADES"] == (200, 30)


def test_what_was_not_evaluated_neither_passed_nor_failed_and_says_why() -> None:
    same, *others = judge(INCUMBENT, INCUMBENT, FOLDS, NEAR, 200).evidence["checks"]
    assert (same["passed"], same["reason"]) == (False, "The best set in-sample is the one in use.")
    assert {(check["observed"], check["passed"], check["reason"]) for check in others} == {
        (None, None, "Not evaluated: there is no better set to judge.")
    }
    verdict = judge(GOOD, INCUMBENT, FOLDS, (), 200)
    (near,) = [check for check in verdict.evidence["checks"] if check["reason_code"] == "NEIGHBOURS_LOSE"]
    assert (near["passed"], near["reason"]) == (None, "The candidate has no neighbours but the set in use.")
    assert not verdict.adopt, "what wasn't measured proves nothing"
