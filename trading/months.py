"""Calendar months as texts, "YYYY-MM", UTC: stepped, listed and bounded. They are compared as texts."""

from datetime import UTC, datetime


def plus(month: str, count: int) -> str:
    """Return the month that many months later; earlier where count is negative."""
    return _month(_number(month) + count)


def months_between(start: str, end: str) -> tuple[str, ...]:
    """Return the months from start to end, inclusive; none when end comes first."""
    return tuple(_month(number) for number in range(_number(start), _number(end) + 1))


def full_months_before(at: datetime, count: int) -> tuple[str, ...]:
    """Return the last `count` full months before an instant, oldest first. at: UTC."""
    this = f"{at:%Y-%m}"
    return tuple(plus(this, -back) for back in range(count, 0, -1))


def first_of(end: str, count: int) -> str:
    """Return the first of the `count` months that end with `end`."""
    return plus(end, 1 - count)


def starts_at(month: str) -> datetime:
    """Return the moment at which a month begins, UTC."""
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC)


def ends_at(month: str) -> datetime:
    """Return the moment at which a month is over, UTC."""
    return starts_at(plus(month, 1))


def _number(month: str) -> int:
    """Return how many months since the year 0."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
