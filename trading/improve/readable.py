"""Evidence of an improvement as it is stored and shown: money as USD text, each rule once.

Rows of before keep what they say; they are shown in the same words as new ones.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trading.digits import exact_usd_text
from trading.improve.reasons import Reason
from trading.metrics import usd

_E4, _USD = "_e4", "_usd"
_SCORES: Final = ("candidate", "incumbent", "stress")
# Rows of before name these two rules twice: first over all folds, then over the last one's sessions.
_SECOND: Final = {
    Reason.LOSES_OUT_OF_SAMPLE: Reason.LOSES_ON_UNSEEN_SESSIONS,
    Reason.BEHIND_THE_INCUMBENT: Reason.BEHIND_ON_UNSEEN_SESSIONS,
}
_OF_MONEY: Final = frozenset({*_SECOND, *_SECOND.values()})
_UNMEASURED: Final = "There was nothing to measure."
_FORMER: Final = {"out_trades": "tested_trades", "out_net_usd": "tested_net_usd"}


def readable(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence with its money as USD text and each rule once; what is so already stays as it is."""
    found: dict[str, Any] = in_usd(evidence)
    for name in _SCORES:
        if isinstance(found.get(name), dict):
            found[name] = _score(found[name])
    found["neighbours"] = [_score(one) for one in found.get("neighbours", [])]
    found["folds"] = [_fold(one) for one in found.get("folds", [])]
    found["checks"] = _checks(found.get("checks", []))
    return found


def reason_of(reason_code: str, evidence: Mapping[str, Any]) -> str:
    """Return a stored reason, of two rules that had one name the one that failed; evidence as `readable` returns it."""
    passed = {check["reason_code"]: check["passed"] for check in evidence["checks"]}
    for first, second in _SECOND.items():
        if reason_code == first and passed.get(first) and second.value in passed:
            return second.value
    return reason_code


def out_of_sample(evidence: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Return what the set in use, and the folds' winners, made out-of-sample; evidence as `readable` returns it."""
    before, won = (
        [Decimal(fold[name]) for fold in evidence["folds"]] for name in ("incumbent_out_net_usd", "out_net_usd")
    )
    return sum(before, Decimal(0)), sum(won, Decimal(0))


def in_usd(value: Any) -> Any:
    """Return JSON values in which every `*_e4` of ten-thousandths of a dollar is `*_usd`, a decimal text."""
    if isinstance(value, Mapping):
        return {_named(key): _money(part) if key.endswith(_E4) else in_usd(part) for key, part in value.items()}
    return [in_usd(part) for part in value] if isinstance(value, list) else value


def _named(key: str) -> str:
    return key.removesuffix(_E4) + _USD if key.endswith(_E4) else key


def _money(value: Any) -> Any:
    if isinstance(value, list):
        return [_money(part) for part in value]
    return value if value is None else _exact(value)


def _exact(e4: int) -> str:
    return exact_usd_text(usd(e4))


def _score(score: Mapping[str, Any]) -> dict[str, Any]:
    return {_FORMER.get(key, key): value for key, value in score.items()}


def _fold(fold: Mapping[str, Any]) -> dict[str, Any]:
    """Put the sums beside the days."""
    sums = {
        f"{name}_net_usd": exact_usd_text(sum((Decimal(day) for day in fold[f"{name}_daily_usd"]), Decimal(0)))
        for name in ("out", "incumbent_out")
    }
    return {**fold, **sums}


def _checks(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for check in checks:
        code = Reason(check["reason_code"])
        if code in _SECOND and any(one["reason_code"] == code for one in found):
            code = _SECOND[code]
        found.append(_check(check, code))
    return found


def _check(check: Mapping[str, Any], code: Reason) -> dict[str, Any]:
    observed, limit, missing = check["observed"], check["limit"], check.get("reason")
    if code in _OF_MONEY:
        observed, limit = (_exact(value) if isinstance(value, int) else value for value in (observed, limit))
    passed = check["passed"]
    if observed is None and missing is None and not passed:
        passed, missing = None, _UNMEASURED
    return {"reason_code": code.value, "observed": observed, "limit": limit, "passed": passed, "reason": missing}
