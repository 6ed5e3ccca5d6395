"""What a judgement of bars is made of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

EXPORT_AGAIN: Final = "Export the bars again from their source; Gantry doesn't repair bars by guessing."


class MonthVerdict(StrEnum):
    """Judgement of a symbol-month: BLOCKED bars never reach a backtest."""

    OK = "OK"
    WARN = "WARN"
    BLOCKED = "BLOCKED"


class ProblemLevel(StrEnum):
    """What a problem does to the verdict."""

    WARN = "WARN"
    BLOCKED = "BLOCKED"


class ProblemCode(StrEnum):
    """Closed set of what may be wrong with bars."""

    EMPTY = "EMPTY"
    NOT_FINITE = "NOT_FINITE"
    NOT_POSITIVE = "NOT_POSITIVE"
    OFF_GRID = "OFF_GRID"
    OHLC_VIOLATION = "OHLC_VIOLATION"
    NEGATIVE_VOLUME = "NEGATIVE_VOLUME"
    OFF_MINUTE = "OFF_MINUTE"
    UNSORTED = "UNSORTED"
    DUPLICATED = "DUPLICATED"
    MIS_STAMPED = "MIS_STAMPED"
    MINUTES_MISSING = "MINUTES_MISSING"
    SESSION_ACCEPTED = "SESSION_ACCEPTED"
    KNOWN_HALT = "KNOWN_HALT"
    SESSIONS_MISSING = "SESSIONS_MISSING"
    CONTRACTS_UNNAMED = "CONTRACTS_UNNAMED"
    OUTSIDE_SESSION = "OUTSIDE_SESSION"
    GAPS = "GAPS"
    THIN = "THIN"
    PRICE_JUMP = "PRICE_JUMP"


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem: how often, in a sentence, with up to five examples (times, days) and a fix."""

    code: ProblemCode
    severity: ProblemLevel
    count: int
    message: str
    examples: tuple[str, ...]
    fix: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of missing minutes inside a session: its day, open of the first and of the last one, RFC 3339 UTC."""

    session: str
    start: str
    end: str
    minutes: int


@dataclass(frozen=True, slots=True)
class SessionAside:
    """A session that failed and is left out, as a missing one is: its day (YYYY-MM-DD), which rule, in a sentence."""

    session: str
    code: ProblemCode
    message: str


@dataclass(frozen=True, slots=True)
class SessionAccepted:
    """A session that failed and is used all the same, as a person decided: its day (YYYY-MM-DD), and why."""

    session: str
    reason: str


def stamp(ts: np.int64 | int) -> str:
    """Return ns since 1970 as RFC 3339 UTC, to the second."""
    return f"{np.datetime64(int(ts), 'ns').astype('datetime64[s]')}Z"
