"""The ways in which a file's times may be meant, and whether its bars fit the exchange's sessions then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from integrations.files.times import Clock
from integrations.files.types import FileBars, Stamp
from trading.bars.months import split_months
from trading.bars.quality import MonthVerdict, assess
from trading.bars.schema import Bars
from trading.day_session import Hours, day_hours, instrument_of
from trading.sessions import MINUTE_NS, session_minutes, session_of

_ZONES: Final = (
    *("UTC", "America/New_York", "America/Chicago", "Europe/London", "Europe/Berlin", "Europe/Athens"),
    *("America/Los_Angeles", "America/Denver", "Etc/GMT+5", "Etc/GMT+6", "Asia/Kolkata", "Asia/Singapore"),
    *("Asia/Tokyo", "Australia/Sydney"),
)
_INSIDE: Final = 0.99  # share of the bars that lie in sessions where the reading is right: calendars miss some
_HALF: Final = 0.5
_MONTHS_TRIED: Final = 12
_ROWS_TRIED: Final = 3 * 1440  # of each month


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file's times may be meant. zone: IANA name."""

    zone: str
    stamp: Stamp
    hours: Hours

    def changes(self, other: "Reading") -> int:
        """Return in how many of the three it differs."""
        return (self.zone != other.zone) + (self.stamp != other.stamp) + (self.hours != other.hours)


def clock_of(one: FileBars) -> Clock:
    """Return how a file's times say what they are; formats that state UTC say nothing of it."""
    return Clock(one.source_details.get("clock", Clock.OFFSET))


def stated(one: FileBars) -> Reading:
    """Return the reading that the file and the user state."""
    details = one.source_details
    zone = "UTC" if clock_of(one) is Clock.OFFSET else str(details.get("tz", "UTC"))
    return Reading(zone, Stamp(details.get("stamp", Stamp.OPEN)), one.hours)


def fits_as_stated(one: FileBars) -> bool:
    """Whether some sessions of each month fit as they were read."""
    return all(_fits(part, one.hours) for part in _parts(one.bars))


def fitting(one: FileBars) -> Iterator[tuple[Reading, bytes]]:
    """Yield the readings under which the bars fit, those that change least first, each with the times it gives."""
    now, parts = stated(one), list(_parts(one.bars))
    for reading in sorted((Reading(*every) for every in product(_ZONES, Stamp, Hours)), key=now.changes):
        read = _all_again(parts, now, reading)
        if read and all(_fits(part, reading.hours) for part in read):
            yield reading, b"".join(part.ts.tobytes() for part in read)


def only_day(bars: Bars) -> bool:
    """Whether bars of two sessions or more lie in the day session alone, and are half of its minutes or more."""
    day = instrument_of(bars.symbol, Hours.RTH)
    index = session_of(day, bars.ts)
    if not index.in_session.all():
        return False
    sessions = np.unique(index.session).tolist()
    possible = sum(session_minutes(day, one) for one in sessions)
    return len(sessions) > 1 and len(np.unique(bars.ts)) >= _HALF * possible


def outside_day(bars: Bars) -> str | None:
    """Return what shows that bars aren't those of the day session, or are stamped wrongly; None for good ones."""
    day = instrument_of(bars.symbol, Hours.RTH)
    index = session_of(day, bars.ts)
    if (inside := float(index.in_session.mean())) < _INSIDE:
        return f"{1 - inside:.0%} of the bars lie outside the day session of {bars.symbol}, {day_hours(day)}"
    _, first = np.unique(index.session, return_index=True)
    late = (bars.ts[first] - index.session_open[first]) // MINUTE_NS
    if len(late) > 1 and abs(late[1:]).max() == 1 and abs(late[1:].sum()) == len(late) - 1:
        when = "after" if late[1] > 0 else "before"
        return f"each day begins a minute {when} the day session of {bars.symbol}, {day_hours(day)}"
    return None


def _parts(bars: Bars) -> Iterator[Bars]:
    """First and last sessions of up to twelve months, spread over the file: a zone has to fit all year."""
    months = split_months(bars)
    for number in np.unique(np.linspace(0, len(months) - 1, _MONTHS_TRIED).astype(int)).tolist():
        month = months[number].bars
        yield month.take(slice(0, _ROWS_TRIED))
        if len(month) > _ROWS_TRIED:
            yield month.take(slice(-_ROWS_TRIED, None))


def _all_again(parts: Sequence[Bars], now: Reading, other: Reading) -> list[Bars]:
    read = [_again(part, now, other) for part in parts]
    return [part for part in read if part is not None] if None not in read else []


def _again(bars: Bars, now: Reading, other: Reading) -> Bars | None:
    """The same bars as another reading has them; None where it gives times that don't exist, or exist twice."""
    stamped = pd.DatetimeIndex((bars.ts + _ahead(now.stamp)).astype("datetime64[ns]")).tz_localize("UTC")
    local = stamped.tz_convert(now.zone).tz_localize(None)
    placed = local.tz_localize(other.zone, ambiguous="NaT", nonexistent="NaT")
    if placed.isna().any():
        return None
    return replace(bars, ts=placed.tz_convert("UTC").tz_localize(None).as_unit("ns").asi8 - _ahead(other.stamp))


def _ahead(stamp: Stamp) -> int:
    return MINUTE_NS if stamp is Stamp.CLOSE else 0


def _fits(bars: Bars, hours: Hours) -> bool:
    instrument = instrument_of(bars.symbol, hours)
    if session_of(instrument, bars.ts).in_session.mean() < _INSIDE:
        return False
    if only_day(bars) if hours is Hours.ALL else outside_day(bars):
        return False
    report = assess(bars, instrument)
    return report.verdict is not MonthVerdict.BLOCKED and not report.aside
