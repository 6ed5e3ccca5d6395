"""Verdict on bars: fit for a backtest, fit with a warning, or blocked; the rules stand in `quality_rules`."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from core.errors import bad_data
from trading.bars import quality_rules as rules
from trading.bars import quality_sessions as by_session
from trading.bars.quality_failed import failed_sessions
from trading.bars.quality_types import (
    Gap,
    MonthVerdict,
    Problem,
    ProblemCode,
    ProblemLevel,
    SessionAccepted,
    SessionAside,
    stamp,
)
from trading.bars.schema import Bars
from trading.bars.span import Span
from trading.instruments import Instrument
from trading.sessions import MINUTE_NS

__all__ = ["Gap", "MonthVerdict", "Problem", "ProblemCode", "ProblemLevel", "QualityReport", "assess", "require_fit"]

NONE_ACCEPTED: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was found in some bars.

    problems: blocking ones first. gaps: the longest runs of missing minutes inside sessions, at most 50.
    coverage: share of the calendar's minutes that have a bar, 0 to 1, of all that the bars should cover.
    sessions_missing: trading days (YYYY-MM-DD) without any bar. sessions: trading days in which anything traded, those
    put aside not counted. covered_until: RFC 3339 UTC, where what the bars should cover ends; None for bars whose
    coverage wasn't measured. aside: sessions that failed, to be left out; none where bars are blocked. accepted: those
    that failed and are used all the same.
    """

    verdict: MonthVerdict
    problems: tuple[Problem, ...]
    gaps: tuple[Gap, ...]
    coverage: float
    sessions_missing: tuple[str, ...]
    sessions: int = 0
    covered_until: str | None = None
    aside: tuple[SessionAside, ...] = ()
    accepted: tuple[SessionAccepted, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, as the catalogue stores it."""
        return {
            "verdict": self.verdict.value,
            "problems": [asdict(problem) for problem in self.problems],
            "gaps": [asdict(gap) for gap in self.gaps],
            "coverage": round(self.coverage, 6),
            "sessions_missing": list(self.sessions_missing),
            "sessions": self.sessions,
            "covered_until": self.covered_until,
            "sessions_aside": [asdict(one) for one in self.aside],
            "sessions_accepted": [asdict(one) for one in self.accepted],
        }

    def sentence(self) -> str:
        """Return the problems in one line."""
        return " ".join(problem.message for problem in self.problems) or "No problems found."


def assess(
    bars: Bars, instrument: Instrument, span: Span | None = None, *, accepted: Mapping[str, str] = NONE_ACCEPTED
) -> QualityReport:
    """Judge one-minute bars of one symbol, usually of one month.

    span: what they should cover, in whole months up to its end; None for from the first bar to the last. Of the
    sessions at the edges of the bars, only what lies from the first and to the last bar counts, as a file may begin
    and end within one. accepted: reason by day (YYYY-MM-DD), of sessions that a person took in though they fail.
    """
    broken = tuple(_only(rules.broken_bars(bars, instrument)))
    if any(problem.severity is ProblemLevel.BLOCKED for problem in broken) or not len(bars):
        return QualityReport(MonthVerdict.BLOCKED, broken, (), 0.0, ())
    first, after = int(bars.ts[0]), int(bars.ts[-1]) + MINUTE_NS
    asked = Span(first, after) if span is None else replace(span, end_ns=max(span.end_ns, after))
    coverage = by_session.cover(bars, instrument, asked)
    failed = failed_sessions(bars, instrument, coverage, accepted)
    problems = [*broken, *failed.problems, *_only(by_session.broken_sessions(bars, instrument, coverage))]
    problems.sort(key=lambda problem: problem.severity is not ProblemLevel.BLOCKED)
    verdict = MonthVerdict.OK
    if problems:
        verdict = MonthVerdict.BLOCKED if problems[0].severity is ProblemLevel.BLOCKED else MonthVerdict.WARN
    return QualityReport(
        verdict,
        tuple(problems),
        coverage.longest_gaps(),
        coverage.share,
        coverage.sessions_missing,
        max(0, coverage.traded - len(failed.aside)),
        stamp(asked.end_ns),
        failed.aside,
        failed.accepted,
    )


def require_fit(
    bars: Bars, instrument: Instrument, span: Span | None = None, *, accepted: Mapping[str, str] = NONE_ACCEPTED
) -> QualityReport:
    """Return the report of bars that may be used; span and accepted as in `assess`.

    Raises:
        GantryError: DATA_QUALITY_FAILED for blocked bars, naming each problem, with its fix.

    """
    report = assess(bars, instrument, span, accepted=accepted)
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
