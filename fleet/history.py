"""Which months of bars a bot's backtest wants."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any


def full_months_before(now: datetime, count: int) -> tuple[str, ...]:
    """Return the last `count` full months before `now`, "YYYY-MM", oldest first."""
    at = now.year * 12 + now.month - 1
    return tuple(_month(at - back) for back in range(count, 0, -1))


def months_between(start: str, end: str) -> tuple[str, ...]:
    """Return the months from start to end, inclusive; none when end comes first."""
    return tuple(_month(number) for number in range(_number(start), _number(end) + 1))


def months_wanted(windows: Iterable[Mapping[str, Any]], now: datetime, count: int) -> tuple[str, ...]:
    """Return the full months that any of these windows wants, in order.

    windows: start and end, months or None. An open start reaches back `count` months from the end, an open end to the
    last full month before `now`; the month at hand isn't over and is wanted by nobody.
    """
    last = full_months_before(now, 1)[0]
    wanted: set[str] = set()
    for window in windows:
        end = min(window.get("end") or last, last)
        start = window.get("start") or _month(_number(end) - count + 1)
        wanted.update(months_between(start, end))
    return tuple(sorted(wanted))


def end_of(month: str) -> datetime:
    """Return the moment at which a month is over, UTC."""
    year, number = divmod(_number(month) + 1, 12)
    return datetime(year, number + 1, 1, tzinfo=UTC)


def months_back(end: str, count: int) -> str:
    """Return the first of the `count` months that end with `end`."""
    return _month(_number(end) - count + 1)


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
