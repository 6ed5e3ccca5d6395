"""A calendar's sessions: pandas-market-calendars' schedule with the ends of `trading.calendar.ends` on top."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trading import globex
from trading.calendar.clock import DAY_NS, MINUTE_NS, local_ns, minutes, utc_ns
from trading.calendar.ends import EQUITY, REGULAR_ENDS, day_of, special_ends
from trading.calendar.holidays import FIRST_YEAR, LAST_YEAR

# Globex opens at 17:00 the evening before and has its regular end at 16:00.
REGULAR_OPEN: Final = minutes("17:00") - 1440
REGULAR_END: Final = minutes("16:00")
# Equity indexes from 2005 to 2012: from 15:30 to 15:15 of the next day, paused from 16:30 to 17:00.
_EARLY_OPEN, _EARLY_END = minutes("15:30") - 1440, minutes("15:15")
_EVENING_PAUSE: Final = (minutes("16:30") - 1440, minutes("17:00") - 1440)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """S sessions of a calendar in order, int64[S] each; opens inclusive, closes exclusive, ns UTC.

    days: days since 1970. break_starts, break_ends: a pause inside the session; equal where there is none.
    """

    days: Ints
    opens: Ints
    closes: Ints
    break_starts: Ints
    break_ends: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Local:
    """S sessions in minutes from their own day's midnight in Chicago, int64[S] each; negative on the evening before."""

    days: Ints
    opens: Ints
    closes: Ints
    break_starts: Ints
    break_ends: Ints


def published(calendar: str) -> Schedule:
    """Return the sessions from 1990 to 2060 as pandas-market-calendars has them, in about 0.2 s."""
    import pandas_market_calendars

    frame = pandas_market_calendars.get_calendar(calendar).schedule(
        f"{FIRST_YEAR}-01-01", f"{LAST_YEAR}-12-31", tz="UTC"
    )
    closes = _ns(frame["market_close"])
    starts = _ns(frame["break_start"]) if "break_start" in frame else closes
    ends = _ns(frame["break_end"]) if "break_end" in frame else closes
    days = frame.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    return Schedule(days, _ns(frame["market_open"]), closes, starts, ends)


def corrected(calendar: str, schedule: Schedule) -> Schedule:
    """Return the sessions with the ends they really had: other closes, days added, days left out."""
    local = _with_regular_ends(calendar, _to_local(schedule))
    local = _with_special_ends(local, special_ends(calendar))
    if calendar == EQUITY:
        local = _with_evening_pause(local)
    starts, ends = (np.minimum(local.closes, column) for column in (local.break_starts, local.break_ends))
    return _to_utc(replace(local, break_starts=starts, break_ends=ends))


def _with_regular_ends(calendar: str, local: _Local) -> _Local:
    closes = local.closes.copy()
    for rule in REGULAR_ENDS:
        if calendar in rule.calendars:
            within = (local.days >= day_of(rule.since)) & (local.days <= day_of(rule.until))
            closes[within & (local.closes == REGULAR_END)] = minutes(rule.end)
    return replace(local, closes=closes)


def _with_special_ends(local: _Local, ends: dict[int, int | None]) -> _Local:
    kept = ~np.isin(local.days, list(ends))
    named = np.array(sorted(day for day, end in ends.items() if end is not None), np.int64)
    end = np.array([ends[day] for day in named.tolist()], np.int64)
    # A day the package has keeps its open and its pause; one it lacks opens as ever.
    at = np.minimum(np.searchsorted(local.days, named), len(local.days) - 1)
    known = local.days[at] == named
    opens = np.where(known, local.opens[at], REGULAR_OPEN)
    starts, stops = (np.where(known, column[at], end) for column in (local.break_starts, local.break_ends))
    order = np.argsort(np.concatenate((local.days[kept], named)), kind="stable")
    columns = (
        (local.days, named),
        (local.opens, opens),
        (local.closes, end),
        (local.break_starts, starts),
        (local.break_ends, stops),
    )
    return _Local(*(np.concatenate((old[kept], new))[order] for old, new in columns))


def _with_evening_pause(local: _Local) -> _Local:
    """Let sessions that the package opens at 15:30 do so after an ordinary day only, with their pause."""
    early = local.opens == _EARLY_OPEN
    follows = (np.diff(local.days, prepend=0) == 1) & (np.roll(local.closes, 1) == _EARLY_END)
    return replace(
        local,
        opens=np.where(early & ~follows, REGULAR_OPEN, local.opens),
        break_starts=np.where(early & follows, _EVENING_PAUSE[0], local.break_starts),
        break_ends=np.where(early & follows, _EVENING_PAUSE[1], local.break_ends),
    )


def _to_local(schedule: Schedule) -> _Local:
    columns = (schedule.opens, schedule.closes, schedule.break_starts, schedule.break_ends)
    midnight = schedule.days * DAY_NS
    return _Local(schedule.days, *((local_ns(one, globex.TIME_ZONE) - midnight) // MINUTE_NS for one in columns))


def _to_utc(local: _Local) -> Schedule:
    columns = (local.opens, local.closes, local.break_starts, local.break_ends)
    midnight = local.days * DAY_NS
    return Schedule(local.days, *(utc_ns(midnight + one * MINUTE_NS, globex.TIME_ZONE) for one in columns))


def _ns(column: "pd.Series[pd.Timestamp]") -> Ints:
    return column.dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)
