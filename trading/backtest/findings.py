"""What a guard or an analyzer found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Check(StrEnum):
    """Every guard (of a strategy) and analyzer (of a result), by name."""

    TRUNCATION = "truncation"
    SHIFT = "shift"
    DETERMINISM = "determinism"
    WARM_UP = "warm_up"
    SESSION = "session"
    FLAT_EQUITY = "flat_equity"
    STALE_FILLS = "stale_fills"
    FILL_PRICES = "fill_prices"
    TOO_FEW_TRADES = "too_few_trades"


LOOK_AHEAD: Final = frozenset({Check.TRUNCATION, Check.SHIFT})


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict. observed: the figure it judged, None where there was nothing to judge."""

    name: Check
    passed: bool
    observed: int | float | None
    message: str


def look_ahead_passed(findings: Iterable[Finding]) -> bool | None:
    """Whether every look-ahead guard passed; None unless all of them were run."""
    verdicts = {finding.name: finding.passed for finding in findings if finding.name in LOOK_AHEAD}
    return all(verdicts.values()) if verdicts.keys() == LOOK_AHEAD else None


def as_json(findings: Iterable[Finding]) -> dict[str, dict[str, object]]:
    """Return {name: {passed, observed, message}}, as a session stores it."""
    return {
        finding.name.value: {"passed": finding.passed, "observed": finding.observed, "message": finding.message}
        for finding in findings
    }
