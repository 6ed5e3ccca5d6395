"""Rules that sessions of bars must keep: what is missing, what is too much, and whether stamps are right.

A session is liquid when its median bar trades ten contracts or more and most bars are followed by one in the
next minute: then minutes without a trade are rare, and many of them are missing bars. Over 20 % of a liquid
session missing is a failure (see `quality_failed`); in another it is a warning. Minutes in which the exchange
itself stood still aren't missing, which a warning says. A run of missing minutes as long as a session is a day
that isn't there, wherever it begins (files may be cut at midnight): a warning, like a missing session.

Blocked as mis-stamped: bars at the session's end and none at its start (stamped at the close), bars a minute
before a session's usual start and none in the half hour before (shifted although stamped at the open), and
bars from 16:30 to 17:00 Chicago time, when Globex has never traded, on most days (another time zone).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.words import counted
from trading.bars.quality_types import Gap, Problem, ProblemCode, ProblemLevel, stamp
from trading.bars.schema import Bars, IntArray
from trading.bars.span import Span
from trading.calendar.halts import Halt, halts_between
from trading.globex import DAY_STARTS_HOUR
from trading.instruments import Instrument
from trading.sessions import (
    DAY_NS,
    MINUTE_NS,
    SessionIndex,
    expected_minutes,
    globex_minute,
    session_minutes,
    session_of,
    sessions_between,
    sessions_closed,
)

LIQUID_MEDIAN_VOLUME: Final = 10
LIQUID_FOLLOWED: Final = 0.5
MISSING_SHARE: Final = 0.20
LONG_GAP_MINUTES: Final = 30
SHORTEST_GAP_MINUTES: Final = 5
GAPS_REPORTED: Final = 50
_CLOSED_FROM, _CLOSED_UNTIL = 16 * 60 + 30, DAY_STARTS_HOUR * 60


@dataclass(frozen=True, slots=True)
class SessionCover:
    """One session: its day, whether it is liquid, the calendar's minutes in the bars' range, those without a bar.

    Days that aren't there, and minutes of a known halt, are left out of both counts.
    """

    day: str
    expected: int
    missing: int
    liquid: bool

    @property
    def lacking(self) -> bool:
        """Whether over 20 % of the minutes have no bar."""
        return self.missing > MISSING_SHARE * self.expected


@dataclass(frozen=True, slots=True)
class Cover:
    """How much of the calendar the bars cover.

    share: minutes with a bar, 0 to 1. gaps: all of five minutes and more in sessions that have bars. traded: sessions
    in which anything traded, those that belong to the next month left out. halts: by which bars are missing, each with
    the session's day.
    """

    share: float
    sessions: tuple[SessionCover, ...]
    sessions_missing: tuple[str, ...]
    gaps: tuple[Gap, ...]
    traded: int
    halts: tuple[tuple[str, Halt], ...]

    def longest_gaps(self) -> tuple[Gap, ...]:
        """Return the 50 longest, in order of time."""
        longest = sorted(self.gaps, key=lambda gap: -gap.minutes)[:GAPS_REPORTED]
        return tuple(sorted(longest, key=lambda gap: gap.start))


def cover(bars: Bars, instrument: Instrument, span: Span) -> Cover:
    """Compare sorted bars, all contracts together, with the calendar. span: what they should cover."""
    minutes, first_row = np.unique(bars.ts, return_index=True)
    volume = np.add.reduceat(bars.volume, first_row)
    day = session_of(instrument, minutes).session
    expected = expected_minutes(instrument, int(minutes[0]), int(minutes[-1]) + 1)
    expected_day = session_of(instrument, expected).session
    there = np.isin(expected, minutes, assume_unique=True)
    halts = halts_between(instrument, int(minutes[0]), int(minutes[-1]) + 1)
    halted = np.zeros(len(expected), np.bool_)
    for halt in halts:
        halted |= ~there & _within(expected, halt)
    counted = there | ~(halted | _whole_days(instrument, expected_day, there))
    followed = np.append(np.diff(minutes) == MINUTE_NS, False)
    sessions: list[SessionCover] = []
    gaps: list[Gap] = []
    for one in np.unique(day).tolist():
        mine, of_day = day == one, expected_day == one
        liquid = np.median(volume[mine]) >= LIQUID_MEDIAN_VOLUME and followed[mine].mean() >= LIQUID_FOLLOWED
        lacking = int((counted & ~there)[of_day].sum())
        sessions.append(SessionCover(_date(one), int(counted[of_day].sum()), lacking, bool(liquid)))
        gaps += _gaps(_date(one), expected[of_day], (there | halted)[of_day])
    between = sessions_between(instrument, int(day[0]), int(day[-1]))
    missing = np.setdiff1d(np.union1d(between, sessions_closed(instrument, span.start_ns, span.end_ns)), day)
    wanted = expected_minutes(instrument, span.start_ns, span.end_ns)
    share = float(np.isin(wanted, minutes, assume_unique=True).mean()) if len(wanted) else 0.0
    days = tuple(_date(one) for one in missing.tolist())
    stood_still = tuple(
        (_date(one), halt)
        for halt in halts
        for one in np.unique(expected_day[halted & _within(expected, halt)]).tolist()
        if one in day
    )
    traded = _traded(day[volume > 0] if volume.any() else day, span)
    return Cover(share, tuple(sessions), days, tuple(gaps), traded, stood_still)


def broken_sessions(bars: Bars, instrument: Instrument, covered: Cover) -> Iterator[Problem | None]:
    """Yield one problem, or None, per rule."""
    index = session_of(instrument, bars.ts)
    yield _mis_stamped(bars, index)
    thin = [one.day for one in covered.sessions if one.lacking and not one.liquid]
    yield _problem(
        ProblemCode.THIN, thin, "thinly traded session lacks", "thinly traded sessions lack", "over 20 % of the minutes"
    )
    yield _known_halts(covered)
    yield _problem(
        ProblemCode.SESSIONS_MISSING,
        list(covered.sessions_missing),
        "whole session has",
        "whole sessions have",
        "no bar",
    )
    outside = [stamp(ts) for ts in bars.ts[~index.in_session]]
    yield _problem(ProblemCode.OUTSIDE_SESSION, outside, "bar lies", "bars lie", "outside the calendar's sessions")
    liquid_days = {one.day for one in covered.sessions if one.liquid}
    long_gaps = [gap.start for gap in covered.gaps if gap.minutes >= LONG_GAP_MINUTES and gap.session in liquid_days]
    yield _problem(
        ProblemCode.GAPS, long_gaps, "gap", "gaps", f"of {LONG_GAP_MINUTES} minutes or more in liquid sessions"
    )


def _mis_stamped(bars: Bars, index: SessionIndex) -> Problem | None:
    minute = globex_minute(bars.ts)
    at_close = np.unique(index.session[bars.ts == index.session_last + MINUTE_NS])
    early = np.unique(index.session[minute == _CLOSED_UNTIL - 1])
    closed = np.unique(index.session[(minute >= _CLOSED_FROM) & (minute < _CLOSED_UNTIL - 1)])
    if 2 * len(closed) > len(np.unique(index.session)):
        what = "lie between 16:30 and 17:00 Chicago time, when the exchange never trades"
        return _stamps(closed, what, "Give the time zone of the stamps with --tz, and check the symbol.")
    if len(at_close) >= 2 and not (bars.ts == index.session_open).any():
        return _stamps(at_close, "are stamped at the bar's close", "Give --stamp close.")
    if len(early) >= 2 and not len(closed):
        return _stamps(early, "open a minute before their session", "Give --stamp open.")
    return None


def _known_halts(covered: Cover) -> Problem | None:
    if not covered.halts:
        return None
    days = [day for day, _ in covered.halts]
    what = " ".join(f"{day}: {halt.what} Source: {halt.source}." for day, halt in covered.halts)
    sessions = counted(len(days), "session holds", "sessions hold")
    message = f"{sessions} a known halt of the exchange. {what}"
    fix = "Nothing is to be done: nobody has bars of those minutes."
    return Problem(ProblemCode.KNOWN_HALT, ProblemLevel.WARN, len(days), message, tuple(days[:5]), fix)


def _within(ts: IntArray, halt: Halt) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (ts >= halt.start_ns) & (ts < halt.end_ns)
    return inside


def _stamps(days: IntArray, what: str, fix: str) -> Problem:
    examples = tuple(_date(day) for day in days[:5].tolist())
    message = f"Bars of {counted(len(days), 'session')} {what}."
    return Problem(ProblemCode.MIS_STAMPED, ProblemLevel.BLOCKED, len(days), message, examples, fix)


def _problem(code: ProblemCode, found: list[str], one: str, many: str, what: str) -> Problem | None:
    if not found:
        return None
    message = f"{counted(len(found), one, many)} {what}, first {found[0]}."
    fix = "Compare with another source, or export the bars again."
    return Problem(code, ProblemLevel.WARN, len(found), message, tuple(found[:5]), fix)


def _traded(day: IntArray, span: Span) -> int:
    """Count the trading days of a span; the evening that ends a month is of the next one's first session."""
    first, last = span.start_ns // DAY_NS, (span.end_ns - 1) // DAY_NS
    days = np.unique(day)
    return int(((days >= first) & (days <= last)).sum())


def _whole_days(instrument: Instrument, day: IntArray, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each of the calendar's minutes is in a run of missing ones as long as a session that it touches."""
    within = np.zeros(len(there), np.bool_)
    for start, end in _runs(there):
        if end - start >= min(session_minutes(instrument, int(one)) for one in np.unique(day[start:end])):
            within[start:end] = True
    return within


def _runs(there: NDArray[np.bool_]) -> list[list[int]]:
    """Start and end, exclusive, of each run of missing minutes."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], ~there, [False])).astype(np.int8)))
    runs: list[list[int]] = edges.reshape(-1, 2).tolist()
    return runs


def _gaps(session: str, expected: IntArray, there: NDArray[np.bool_]) -> list[Gap]:
    """Runs of five or more missing minutes in one session."""
    runs = [(start, end) for start, end in _runs(there) if end - start >= SHORTEST_GAP_MINUTES]
    return [Gap(session, stamp(expected[start]), stamp(expected[end - 1]), end - start) for start, end in runs]


def _date(day: int) -> str:
    return str(np.datetime64(day, "D"))
