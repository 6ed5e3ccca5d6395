"""Sessions that fail: put aside one by one, as holes, unless a person accepted them or too many of a month fail.

A liquid session fails when it lacks over a fifth of its minutes, any session by a bar whose high or low isn't its
highest or lowest price. Only missing minutes can be accepted: bars that can't be stay out.

The evening that ends a month in UTC begins the next month's first session. That session is judged by the month that
holds the rest of it: an hour or two can't lack a fifth of it, and can't block the month they are in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.words import counted
from trading.bars.faults import IMPOSSIBLE, faults
from trading.bars.quality_sessions import Cover, SessionCover
from trading.bars.quality_types import (
    EXPORT_AGAIN,
    Problem,
    ProblemCode,
    ProblemLevel,
    SessionAccepted,
    SessionAside,
    stamp,
)
from trading.bars.schema import Bars, IntArray
from trading.instruments import Instrument
from trading.sessions import session_of

FAILED_SHARE: Final = 0.20


@dataclass(frozen=True, slots=True)
class FailedSessions:
    """What becomes of the sessions that fail. aside: none where they block the month."""

    problems: tuple[Problem, ...]
    aside: tuple[SessionAside, ...]
    accepted: tuple[SessionAccepted, ...]


def failed_sessions(bars: Bars, instrument: Instrument, covered: Cover, accepted: Mapping[str, str]) -> FailedSessions:
    """Judge each session. accepted: reason by day, of sessions a person took in.

    They block when over a fifth of the sessions that have bars fail; a single one does so only where it is alone.
    """
    rows = impossible_rows(bars, instrument)
    impossible = _by_day(bars, instrument, rows)
    own = [one for one in covered.sessions if one.day < _next_month(bars)]
    lacking = [one for one in own if one.lacking and one.liquid and one.day not in impossible]
    taken = tuple(SessionAccepted(one.day, accepted[one.day]) for one in lacking if one.day in accepted)
    short = [one for one in lacking if one.day not in accepted]
    failed = len(short) + sum(one.day in impossible for one in own)
    blocked = too_many(failed, len(own))
    problems = [
        *([_impossible(bars, rows, blocked=blocked)] if len(rows) else []),
        *([_short(short, bars.symbol, len(own), blocked=blocked)] if short else []),
        *([_accepted(taken)] if taken else []),
    ]
    aside = (*impossible.values(), *(_of(one) for one in short)) if not blocked else ()
    return FailedSessions(tuple(problems), tuple(sorted(aside, key=lambda one: one.session)), taken)


def too_many(failed: int, sessions: int) -> bool:
    """Whether so many failing sessions, of those that have bars, block a month."""
    return failed > FAILED_SHARE * sessions and (failed > 1 or sessions == 1)


def impossible_rows(bars: Bars, instrument: Instrument) -> IntArray:
    """Return the rows of bars whose high or low isn't their highest or lowest price, in order."""
    wrong = (fault.wrong for fault in faults(bars, instrument) if fault.code is ProblemCode.OHLC_VIOLATION)
    return np.flatnonzero(next(wrong, np.zeros(len(bars), np.bool_)))


def _next_month(bars: Bars) -> str:
    """The first day (YYYY-MM-DD) after the month, in UTC, of the last bar."""
    return str((bars.ts[-1].astype("datetime64[ns]").astype("datetime64[M]") + 1).astype("datetime64[D]"))


def _by_day(bars: Bars, instrument: Instrument, rows: IntArray) -> Mapping[str, SessionAside]:
    days, first, count = np.unique(session_of(instrument, bars.ts[rows]).session, return_index=True, return_counts=True)
    found = {}
    for day, row, number in zip(days.tolist(), rows[first].tolist(), count.tolist(), strict=True):
        bad = counted(number, "bar has", "bars have")
        message = f"{bad} {IMPOSSIBLE}, first at {stamp(bars.ts[row])}."
        name = str(np.datetime64(day, "D"))
        found[name] = SessionAside(name, ProblemCode.OHLC_VIOLATION, message)
    return found


def _of(one: SessionCover) -> SessionAside:
    share = one.missing / one.expected
    message = f"{one.missing:,} of its {one.expected:,} minutes ({share:.0%}) have no bar."
    return SessionAside(one.day, ProblemCode.MINUTES_MISSING, message)


def _impossible(bars: Bars, rows: IntArray, *, blocked: bool) -> Problem:
    first = stamp(bars.ts[rows[0]])
    aside = "" if blocked else "; their sessions are put aside"
    message = f"{len(rows)} of {len(bars)} bars have {IMPOSSIBLE}, first bar {rows[0] + 1} at {first}{aside}."
    examples = tuple(stamp(ts) for ts in bars.ts[rows[:5]])
    return Problem(ProblemCode.OHLC_VIOLATION, _level(blocked=blocked), len(rows), message, examples, EXPORT_AGAIN)


def _short(failed: Sequence[SessionCover], symbol: str, sessions: int, *, blocked: bool) -> Problem:
    first = failed[0].day
    if blocked:
        ending = f": with any others that fail, over a fifth of the {sessions} sessions with bars"
        fix = "Compare with another source, or export the bars again."
    else:
        ending = f", and {'is' if len(failed) == 1 else 'are'} put aside"
        take = f"gantry bars accept {symbol} {first} --reason TEXT"
        fix = f"Import such a session from another source, or take it in: {take}."
    message = f"{_lack(len(failed))}, first {first}{ending}."
    days = tuple(one.day for one in failed[:5])
    return Problem(ProblemCode.MINUTES_MISSING, _level(blocked=blocked), len(failed), message, days, fix)


def _accepted(taken: Sequence[SessionAccepted]) -> Problem:
    first, was = taken[0], "was" if len(taken) == 1 else "were"
    message = f"{_lack(len(taken))} and {was} accepted, first {first.session} ({first.reason})."
    days = tuple(one.session for one in taken[:5])
    fix = "Import such a session from another source."
    return Problem(ProblemCode.SESSION_ACCEPTED, ProblemLevel.WARN, len(taken), message, days, fix)


def _level(*, blocked: bool) -> ProblemLevel:
    return ProblemLevel.BLOCKED if blocked else ProblemLevel.WARN


def _lack(number: int) -> str:
    what = "session lacks over 20 % of its" if number == 1 else "sessions lack over 20 % of their"
    return f"{number} liquid {what} minutes"
