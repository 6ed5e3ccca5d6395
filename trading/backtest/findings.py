"""What a guard or an analyzer found."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final


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
    ROLLS_SEEN = "rolls_seen"


class CheckOutcome(StrEnum):
    """How a check ended; UNPROVEN: there was nothing to judge."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNPROVEN = "UNPROVEN"


GUARDS: Final = frozenset({Check.TRUNCATION, Check.SHIFT, Check.DETERMINISM, Check.WARM_UP, Check.SESSION})
ANALYZERS: Final = frozenset(Check) - GUARDS
LOOK_AHEAD: Final = frozenset({Check.TRUNCATION, Check.SHIFT})
# The session guard judges bars and calendar, which a strategy doesn't choose: it shows, but disqualifies nobody.
# What decides differently each time also does when later bars are changed: that it reads the future isn't shown then.
_DISQUALIFYING: Final = (Check.DETERMINISM, Check.SHIFT, Check.TRUNCATION, Check.WARM_UP)


@dataclass(frozen=True, slots=True)
class Where:
    """The first decision that moved when only later bars were changed.

    bar: counted from 0 over all bars traded. at: its open, RFC 3339 UTC. value: the column of the decision, such as
    target. before, after: its value with the bars as they are, and with later ones changed. reads: the columns of later
    bars that move it, each changed alone; empty where only the number of bars does.
    """

    bar: int
    at: str
    value: str
    before: str
    after: str
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict. observed: the figure it judged, None where there was nothing to judge."""

    name: Check
    passed: bool
    observed: int | float | None
    message: str
    where: Where | None = None

    @property
    def outcome(self) -> CheckOutcome:
        """Whether it passed, failed, or had nothing to judge."""
        if self.passed:
            return CheckOutcome.PASSED
        return CheckOutcome.UNPROVEN if self.observed is None else CheckOutcome.FAILED


def look_ahead_passed(findings: Iterable[Finding]) -> bool | None:
    """Whether every look-ahead guard passed; None unless all of them were run and had something to judge."""
    outcomes = {finding.name: finding.outcome for finding in findings if finding.name in LOOK_AHEAD}
    if outcomes.keys() != LOOK_AHEAD:
        return None
    if CheckOutcome.FAILED in outcomes.values():
        return False
    return None if CheckOutcome.UNPROVEN in outcomes.values() else True


def disqualifying(findings: Iterable[Finding]) -> Finding | None:
    """Return the failed guard that makes a strategy's figures worthless, None without one."""
    failed = {finding.name: finding for finding in findings if finding.outcome is CheckOutcome.FAILED}
    return next((failed[name] for name in _DISQUALIFYING if name in failed), None)


def as_json(findings: Iterable[Finding]) -> dict[str, dict[str, object]]:
    """Return {name: {passed, observed, message}} as a session stores it; `where` too, where there is one."""
    return {finding.name.value: _plain(finding) for finding in findings}


def from_json(analysis: Mapping[str, Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Return the findings of a stored session; names that are no check's are left out."""
    known = {check.value: check for check in Check}
    return tuple(
        # A failure that was stored without a figure is a failure.
        Finding(known[name], part["passed"] is True, part.get("observed", 0), str(part.get("message", "")))
        for name, part in analysis.items()
        if name in known
    )


def _plain(finding: Finding) -> dict[str, object]:
    plain: dict[str, object] = {
        "passed": finding.passed,
        "observed": finding.observed,
        "message": finding.message,
    }
    return plain if finding.where is None else plain | {"where": asdict(finding.where)}
