"""Verdict on bars: fit for a backtest, fit with a warning, or blocked; the rules stand in `quality_rules`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import bad_data
from trading.bars import quality_rules as rules
from trading.bars import quality_sessions as by_session
from trading.bars.quality_types import Gap, MonthVerdict, Problem, ProblemCode, ProblemLevel
from trading.bars.schema import Bars
from trading.instruments import Instrument

__all__ = ["Gap", "MonthVerdict", "Problem", "ProblemCode", "ProblemLevel", "QualityReport", "assess", "require_fit"]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was found in some bars.

    problems: blocking ones first. gaps: the longest runs of missing minutes inside sessions, at most 50.
    coverage: share of the calendar's minutes, from the first bar to the last, that have a bar, 0 to 1.
    sessions_missing: trading days (YYYY-MM-DD) between the first and the last without any bar.
    """

    verdict: MonthVerdict
    problems: tuple[Problem, ...]
    gaps: tuple[Gap, ...]
    coverage: float
    sessions_missing: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, as the catalogue stores it."""
        return {
            "verdict": self.verdict.value,
            "problems": [asdict(problem) for problem in self.problems],
            "gaps": [asdict(gap) for gap in self.gaps],
            "coverage": round(self.coverage, 6),
            "sessions_missing": list(self.sessions_missing),
        }

    def sentence(self) -> str:
        """Return the problems in one line."""
        return " ".join(problem.message for problem in self.problems) or "No problems found."


def assess(bars: Bars, instrument: Instrument) -> QualityReport:
    """Judge one-minute bars of one symbol, usually of one month.

    Sessions at the edges count from the first and to the last bar only, as a month's edge cuts through one.
    """
    broken = tuple(_only(rules.broken_bars(bars, instrument)))
    if any(problem.severity is ProblemLevel.BLOCKED for problem in broken) or not len(bars):
        return QualityReport(MonthVerdict.BLOCKED, broken, (), 0.0, ())
    coverage = by_session.cover(bars, instrument)
    problems = [*broken, *_only(by_session.broken_sessions(bars, instrument, coverage))]
    problems.sort(key=lambda problem: problem.severity is not ProblemLevel.BLOCKED)
    verdict = MonthVerdict.OK
    if problems:
        verdict = MonthVerdict.BLOCKED if problems[0].severity is ProblemLevel.BLOCKED else MonthVerdict.WARN
    return QualityReport(verdict, tuple(problems), coverage.longest_gaps(), coverage.share, coverage.sessions_missing)


def require_fit(bars: Bars, instrument: Instrument) -> QualityReport:
    """Return the report of bars that may be used.

    Raises:
        GantryError: DATA_QUALITY_FAILED for blocked bars, naming each problem, with its fix.

    """
    report = assess(bars, instrument)
    if report.verdict is MonthVerdict.BLOCKED:
        blocking = [problem for problem in report.problems if problem.severity is ProblemLevel.BLOCKED]
        raise bad_data(
            f"Bars of {bars.symbol} are unfit: " + " ".join(problem.message for problem in blocking),
            fix=blocking[0].fix,
            facts={"problems": [problem.code.value for problem in blocking]},
        )
    return report


def _only(problems: Iterator[Problem | None]) -> Iterator[Problem]:
    return (problem for problem in problems if problem is not None)
