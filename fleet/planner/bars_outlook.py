"""What bars a bot can expect: those there are, who could supply more, and whether a fetch is under way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from fleet.grading_bars import MonthInUse, grades_on_real
from fleet.planner.types import BarsState
from trading.months import full_months_before

_BETWEEN: Final = "."  # the two halves of a generation


@dataclass(frozen=True, slots=True)
class BarsOutlook:
    """The bars of one window.

    generation: another text as soon as they, or who could supply them, are others. sessions: trading days that they
    have.
    """

    state: BarsState
    generation: str
    last_at: datetime | None
    sessions: int


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Who could supply bars. named: a text that changes with them. can: whether anybody could."""

    named: str = ""
    can: bool = False


def months_in(window: Mapping[str, Any], months: Sequence[MonthInUse], min_sessions: int) -> Sequence[MonthInUse]:
    """Return those a backtest of this window reads, in order: only real ones, or only simulated ones."""
    real = grades_on_real(months, min_sessions)
    start, end = window.get("start") or "", window.get("end") or "9999-99"
    return sorted(month for month in months if start <= month.month <= end and month.simulated is not real)


def generation(
    window: Mapping[str, Any], months: Sequence[MonthInUse], suppliers: Suppliers, min_sessions: int, now: datetime
) -> str:
    """Return what a result rests on: the bars read, then who could supply others and the last month that is over.

    months: all of the symbol's that are in use. A window with an open end wants a new month as soon as one is over.
    """
    wanted = min(window.get("end") or "9999-99", full_months_before(now, 1)[0])
    read = (month.read for month in months_in(window, months, min_sessions))
    return _BETWEEN.join(_digest(*parts) for parts in (read, (suppliers.named, wanted)))


def other_bars(made_on: str, present: str) -> bool:
    """Whether two generations are of other bars; who could supply them doesn't count.

    False where the first one doesn't tell: an earlier version of Gantry wrote one digest of everything.
    """
    (before, known, _), (after, *_) = made_on.partition(_BETWEEN), present.partition(_BETWEEN)
    return bool(known) and before != after


def outlook(
    symbol: str,
    window: Mapping[str, Any],
    months: Sequence[MonthInUse],
    suppliers: Suppliers,
    min_sessions: int,
    fetching: Collection[str],
    now: datetime,
) -> BarsOutlook:
    """Return what bars a bot of this symbol and window can expect. fetching: symbols of fetches under way."""
    read = months_in(window, months, min_sessions)
    state = BarsState.AVAILABLE if read or suppliers.can else BarsState.UNAVAILABLE
    if symbol in fetching:
        state = BarsState.PENDING
    last = max((month.last_at for month in read), default=None)
    made_on = generation(window, months, suppliers, min_sessions, now)
    return BarsOutlook(state, made_on, last, sum(month.sessions for month in read))


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
