"""Evidence as it is shown: money as USD text, each rule once, and rows of before in the words of today."""

import json
from typing import Any

from tests.factories.judged_sets import FOLDS, GOOD, INCUMBENT, NEAR
from trading.improve.readable import out_of_sample, readable, reason_of
from trading.improve.verdict import judge

SCORE = {"net_e4": 10_050, "out_net_e4": 199_845_000, "out_trades": 3, "unseen_net_e4": -5, "trades": 9}
FORMER: dict[str, Any] = {
    "candidate": SCORE,
    "incumbent": SCORE,
    "stress": SCORE,
    "neighbours": [SCORE],
    "folds": [{"out_daily_e4": [100, -1], "incumbent_out_daily_e4": [-20_000, 0]}],
    "checks": [
        {"reason_code": "LOSES_OUT_OF_SAMPLE", "observed": 99, "limit": 0, "passed": True},
        {"reason_code": "LOSES_OUT_OF_SAMPLE", "observed": -5, "limit": 0, "passed": False},
        {"reason_code": "OVERFIT", "observed": None, "limit": 2.5, "passed": False},
    ],
    "tried": 200,
}


def test_money_is_usd_text_everywhere_and_nothing_else_changes() -> None:
    evidence = judge(GOOD, INCUMBENT, FOLDS, NEAR, 200).evidence
    shown = readable(evidence)
    assert "_e4" not in json.dumps(shown)
    assert (shown["candidate"]["net_usd"], shown["candidate"]["tested_net_usd"]) == ("0.90", "0.50")
    assert shown["folds"][0]["out_daily_usd"] == ["0.03", "0.02", "0.04", "0.01"]
    assert (shown["folds"][0]["out_net_usd"], shown["folds"][0]["incumbent_out_net_usd"]) == ("0.10", "0.01")
    assert [str(sum_) for sum_ in out_of_sample(shown)] == ["0.05", "0.50"]
    assert shown["checks"] == evidence["checks"]
    assert shown["deflated_sharpe"] == evidence["deflated_sharpe"]
    assert readable(shown) == shown


def test_evidence_of_before_is_shown_in_the_same_words() -> None:
    shown = readable(FORMER)
    assert shown["candidate"] == {
        "net_usd": "1.0050",
        "tested_net_usd": "19984.50",
        "tested_trades": 3,
        "unseen_net_usd": "-0.0005",
        "trades": 9,
    }
    assert shown["checks"] == [
        {"reason_code": "LOSES_OUT_OF_SAMPLE", "observed": "0.0099", "limit": "0.00", "passed": True, "reason": None},
        {
            "reason_code": "LOSES_ON_UNSEEN_SESSIONS",
            "observed": "-0.0005",
            "limit": "0.00",
            "passed": False,
            "reason": None,
        },
        {
            "reason_code": "OVERFIT",
            "observed": None,
            "limit": 2.5,
            "passed": None,
            "reason": "There was nothing to measure.",
        },
    ]
    assert FORMER["checks"][0]["observed"] == 99, "what is stored isn't touched"


def test_a_reason_of_before_names_the_rule_that_failed() -> None:
    shown = readable(FORMER)
    assert reason_of("LOSES_OUT_OF_SAMPLE", shown) == "LOSES_ON_UNSEEN_SESSIONS"
    assert reason_of("OVERFIT", shown) == "OVERFIT"
    lost = readable({**FORMER, "checks": [{**FORMER["checks"][0], "passed": False}, FORMER["checks"][1]]})
    assert reason_of("LOSES_OUT_OF_SAMPLE", lost) == "LOSES_OUT_OF_SAMPLE"
