"""The checks of a verdict as they are stored: observed and limit beside each other, each once."""

from dataclasses import dataclass, replace

from trading.digits import rounded, usd_text
from trading.improve.reasons import Reason
from trading.improve.scores import Values
from trading.metrics import usd


@dataclass(frozen=True, slots=True)
class VerdictCheck:
    """One condition.

    reason_code: of a verdict that fails by it. observed, limit: counts and ratios as numbers, money as USD text.
    passed: None where nothing was measured, which proves nothing; why says what is missing.
    """

    reason_code: Reason
    observed: float | str | None
    limit: float | str | None
    passed: bool | None
    why: str | None = None

    def not_made(self, why: str) -> "VerdictCheck":
        """Return it as one that wasn't made."""
        return replace(self, observed=None, passed=None, why=why)

    def as_json(self) -> Values:
        """Return the fields ready for JSON."""
        return {
            "reason_code": self.reason_code.value,
            "observed": self.observed,
            "limit": self.limit,
            "passed": self.passed,
            "reason": self.why,
        }


def at_least(code: Reason, observed: float | None, limit: float, missing: str | None = None) -> VerdictCheck:
    """Check a count or a ratio against what it must reach. missing: why there is none."""
    if observed is None:
        return VerdictCheck(code, None, limit, None, missing)
    return VerdictCheck(code, rounded(observed, limit), limit, observed >= limit)


def at_most(code: Reason, observed: float | None, limit: float, missing: str | None = None) -> VerdictCheck:
    """Check a ratio against what it may be."""
    if observed is None:
        return VerdictCheck(code, None, limit, None, missing)
    return VerdictCheck(code, rounded(observed, limit), limit, observed <= limit)


def money_above(code: Reason, observed_e4: int, limit_e4: int) -> VerdictCheck:
    """Check a profit, in ten-thousandths of a dollar, against one that it must exceed."""
    observed, limit = usd(observed_e4), usd(limit_e4)
    return VerdictCheck(code, usd_text(observed, limit), usd_text(limit, observed), observed > limit)
