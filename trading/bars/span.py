"""The part of a month that bars are requested for, or should cover."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from core.errors import invalid
from trading.bars.schema import NS_PER_SECOND
from trading.months import ends_at, starts_at
from trading.sessions import MINUTE_NS

_MONTH: Final = re.compile(r"(199\d|20[0-5]\d)-(0[1-9]|1[0-2])")  # the years the calendars know


@dataclass(frozen=True, slots=True)
class Span:
    """From start_ns to before end_ns, ns since 1970 UTC, on the minute."""

    start_ns: int
    end_ns: int

    @property
    def minutes(self) -> int:
        """How many minutes it has; 0 for a month that has not begun."""
        return max(0, (self.end_ns - self.start_ns) // MINUTE_NS)

    def until(self, now: datetime) -> "Span":
        """Return the same without the minutes that are not finished at that moment."""
        return self.before(int(now.timestamp()) // 60 * MINUTE_NS)

    def before(self, end_ns: int) -> "Span":
        """Return the same without what lies at or after an instant, ns since 1970 UTC."""
        return replace(self, end_ns=min(self.end_ns, end_ns))


def span_of(month: str) -> Span:
    """Return the whole of a month.

    Raises:
        GantryError: VALIDATION_FAILED for anything but YYYY-MM.

    """
    if not _MONTH.fullmatch(month):
        raise invalid(f"{month!r} is not a month.", fix="Write it as YYYY-MM, such as 2024-01.", field="month")
    return Span(*(int(edge.timestamp()) * NS_PER_SECOND for edge in (starts_at(month), ends_at(month))))
