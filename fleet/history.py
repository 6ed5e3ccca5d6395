"""Which months of bars a bot's backtest wants."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from trading.months import first_of, full_months_before, months_between


def months_wanted(windows: Iterable[Mapping[str, Any]], now: datetime, count: int) -> tuple[str, ...]:
    """Return the full months that any of these windows wants, in order.

    windows: start and end, months or None. An open start reaches back `count` months from the end, an open end to the
    last full month before `now`; the month at hand isn't over and is wanted by nobody.
    """
    last = full_months_before(now, 1)[0]
    wanted: set[str] = set()
    for window in windows:
        end = min(window.get("end") or last, last)
        start = window.get("start") or first_of(end, count)
        wanted.update(months_between(start, end))
    return tuple(sorted(wanted))
