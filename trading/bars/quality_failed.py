"""Sessions that fail: put aside one by one, as holes, unless a person accepted them or too many of a month fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trading.bars.quality_sessions import Cover, SessionCover
from trading.bars.quality_types import Problem, ProblemCode, ProblemLevel, SessionAccepted, SessionAside

FAILED_SHARE: Final = 0.20


@dataclass(frozen=True, slots=True)
class FailedSessions:
    """What becomes of the sessions that fail. aside: none where they block the month."""

    problems: tuple[Problem, ...]
    aside: tuple[SessionAside, ...]
    accepted: tuple[SessionAccepted, ...]


def failed_sessions(covered: Cover, symbol: str, accepted: Mapping[str, str]) -> FailedSessions:
    """Judge the liquid sessions that lack minutes. accepted: reason by day, of sessions a person took in.

    They block when they are over a fifth of the sessions that have bars; a single one does so only where it is alone.
    """
    lacking = [one for one in covered.sessions if one.lacking and one.liquid]
    taken = tuple(SessionAccepted(one.day, accepted[one.day]) for one in lacking if one.day in accepted)
    failed = [one for one in lacking if one.day not in accepted]
    problems = [_accepted(taken)] if taken else []
    if _too_many(len(failed), len(covered.sessions)):
        return FailedSessions((_blocking(failed, len(covered.sessions)), *problems), (), taken)
    if failed:
        problems.insert(0, _aside(failed, symbol))
    return FailedSessions(tuple(problems), tuple(_of(one) for one in failed), taken)


def _too_many(failed: int, sessions: int) -> bool:
    return failed > FAILED_SHARE * sessions and (failed > 1 or sessions == 1)


def _of(one: SessionCover) -> SessionAside:
    share = one.missing / one.expected
    message = f"{one.missing:,} of its {one.expected:,} minutes ({share:.0%}) have no bar."
    return SessionAside(one.day, ProblemCode.MINUTES_MISSING, message)


def _blocking(failed: Sequence[SessionCover], sessions: int) -> Problem:
    message = f"{_lack(len(failed))}, first {failed[0].day}: over a fifth of the {sessions} sessions with bars."
    fix = "Compare with another source, or export the bars again."
    return _problem(ProblemCode.MINUTES_MISSING, [one.day for one in failed], message, fix, blocked=True)


def _aside(failed: Sequence[SessionCover], symbol: str) -> Problem:
    first = failed[0].day
    message = f"{_lack(len(failed))}, first {first}, and {'is' if len(failed) == 1 else 'are'} put aside."
    fix = (
        f"Import such a session from another source, or take it in: gantry bars accept {symbol} {first} --reason TEXT."
    )
    return _problem(ProblemCode.MINUTES_MISSING, [one.day for one in failed], message, fix)


def _accepted(taken: Sequence[SessionAccepted]) -> Problem:
    first, was = taken[0], "was" if len(taken) == 1 else "were"
    message = f"{_lack(len(taken))} and {was} accepted, first {first.session} ({first.reason})."
    days = [one.session for one in taken]
    return _problem(ProblemCode.SESSION_ACCEPTED, days, message, "Import such a session from another source.")


def _lack(number: int) -> str:
    what = "session lacks over 20 % of its" if number == 1 else "sessions lack over 20 % of their"
    return f"{number} liquid {what} minutes"


def _problem(code: ProblemCode, days: Sequence[str], message: str, fix: str, *, blocked: bool = False) -> Problem:
    severity = ProblemLevel.BLOCKED if blocked else ProblemLevel.WARN
    return Problem(code, severity, len(days), message, tuple(days[:5]), fix)
