"""What bars a bot can expect: those there are, who could supply more, and whether a fetch is under way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from fleet.planner.types import BarsState
from trading.months import full_months_before


class MonthInUse(NamedTuple):
    """One symbol-month that backtests read. last_at: open of its last bar."""

    month: str
    content_hash: str
    last_at: datetime
    simulated: bool


@dataclass(frozen=True, slots=True)
class BarsOutlook:
    """The bars of one window. generation: another text as soon as they, or who could supply them, are others."""

    state: BarsState
    generation: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Who could supply bars. named: a text that changes with them. can: whether anybody could."""

    named: str = ""
    can: bool = False


def months_in(window: Mapping[str, Any], months: Sequence[MonthInUse]) -> Sequence[MonthInUse]:
    """Return those a backtest of this window reads, in order: simulated ones only where there is no real one."""
    real = any(not month.simulated for month in months)
    start, end = window.get("start") or "", window.get("end") or "9999-99"
    return sorted(month for month in months if start <= month.month <= end and month.simulated is not real)


def generation(window: Mapping[str, Any], months: Sequence[MonthInUse], suppliers: Suppliers, now: datetime) -> str:
    """Return what a result rests on: the bars read, who could supply others, and the last month that is over.

    months: all of the symbol's that are in use. A window with an open end wants a new month as soon as one is over.
    """
    wanted = min(window.get("end") or "9999-99", full_months_before(now, 1)[0])
    read = [f"{month.month}:{month.content_hash}" for month in months_in(window, months)]
    return sha256("\n".join((suppliers.named, wanted, *read)).encode()).hexdigest()[:32]


def outlook(
    symbol: str,
    window: Mapping[str, Any],
    months: Sequence[MonthInUse],
    suppliers: Suppliers,
    fetching: Collection[str],
    now: datetime,
) -> BarsOutlook:
    """Return what a bot of this symbol and window has to hope for. fetching: symbols of fetches under way."""
    read = months_in(window, months)
    state = BarsState.AVAILABLE if read or suppliers.can else BarsState.UNAVAILABLE
    if symbol in fetching:
        state = BarsState.PENDING
    last = max((month.last_at for month in read), default=None)
    return BarsOutlook(state, generation(window, months, suppliers, now), last)
