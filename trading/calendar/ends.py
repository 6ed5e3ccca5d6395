"""When sessions really ended, where pandas-market-calendars 5.5.0 says something else or nothing.

Times are Chicago's, the session's first minute without a trade; None is a day without a session. A rule replaces those
above it on the days both name, and a date replaces every rule. Rules begin in the years their sources reach: before,
the package's word stands.

Sources, by the letter at each line:
a. Real bars, the last one of the session: ES of 2013-10 to 12, 2024-12-24, 2025-01-09, 2025-07-03 and 04, 2025-11-27
   and 28; GC of 2013-10; CL of 2023-11-23 and 24, 2024-09-02, 2024-11-29, 2025-07-04.
b. QuantConnect Lean, Data/market-hours/market-hours-database.json: early closes from 2009 to 2026 of RTY, of NYMEX's
   energy and of CME's currencies, taken there from CME's holiday calendars; its pull requests 9733 (CME's published
   2027) and 9807 (corrections of 2023 to 2025).
c. pandas-market-calendars' own "CME Globex Equity" and "CME Globex Fixed Income", tested there against CME's holiday
   calendars; its issues 464 and 465 (CME's published 2026) and 132 (Good Friday 2021).
d. CME Group's press releases of 2003-08, 2006-01-10, 2007-08-20, 2012-10-29, 2018-12-02 and 2024-12-30; Reuters of
   2012-10-29.
e. CME's notice that equity indexes end at 16:15 from 2012-11-19; NinjaTrader's advisory 25: at 16:00 from 2015-09-21.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from trading.calendar import holidays as on
from trading.calendar.clock import minutes

EQUITY: Final = "CME_Equity"
ENERGY: Final = "CMEGlobex_Energy"
METALS: Final = "CMEGlobex_Metals"
FX: Final = "CMEGlobex_FX"
RATES: Final = "CME_InterestRate"
_COMMODITIES: Final = (ENERGY, METALS)


@dataclass(frozen=True, slots=True)
class EndRule:
    """An end on all days of a kind, from `since` to `until`, both included, on these calendars."""

    calendars: tuple[str, ...]
    days: on.DayRule
    end: str | None
    since: str
    until: str = "2060-12-31"


@dataclass(frozen=True, slots=True)
class EndOfDay:
    """An end on one day, on these calendars."""

    calendars: tuple[str, ...]
    day: str
    end: str | None


@dataclass(frozen=True, slots=True)
class RegularEnd:
    """An end of every ordinary session from `since` to `until`, both included, on these calendars."""

    calendars: tuple[str, ...]
    end: str
    since: str
    until: str


REGULAR_ENDS: Final = (
    RegularEnd((EQUITY,), "16:15", "2012-11-19", "2015-09-18"),  # a, e
    RegularEnd(_COMMODITIES, "16:15", "2007-01-01", "2015-09-18"),  # a, d, e
)

RULES: Final = (
    EndRule((EQUITY,), on.holidays, "10:30", since="2003-01-01", until="2014-02-17"),  # b, c, d
    EndRule((EQUITY,), on.holidays, "12:00", since="2014-05-26"),  # a, b, c
    EndRule((EQUITY,), on.fridays_after_thanksgiving, "12:15", since="2009-01-01"),  # a, b, c
    EndRule((EQUITY,), on.christmas_eves, "12:15", since="2009-01-01"),  # a, b, c
    EndRule((EQUITY,), on.thirds_of_july, "12:15", since="2009-01-01"),  # a, b, c
    EndRule((EQUITY,), on.good_fridays, None, since="2010-01-01"),  # b
    EndRule((EQUITY,), on.good_fridays_of_payrolls, "08:15", since="2010-01-01"),  # b, c
    EndRule(_COMMODITIES, on.holidays, "12:15", since="2009-05-25", until="2014-02-17"),  # b
    EndRule(_COMMODITIES, on.holidays, "12:00", since="2014-05-26", until="2021-12-31"),  # b
    EndRule(_COMMODITIES, on.holidays, "13:30", since="2022-01-01"),  # a, b, c
    EndRule(_COMMODITIES, on.friday_holidays, "12:00", since="2022-01-01"),  # a, b, c
    EndRule(_COMMODITIES, on.fridays_after_thanksgiving, "12:45", since="2009-01-01"),  # a, b
    EndRule(_COMMODITIES, on.fridays_after_thanksgiving, "13:45", since="2024-01-01"),  # a, b, c
    EndRule(_COMMODITIES, on.christmas_eves, "12:45", since="2009-01-01"),  # b, c
    EndRule(_COMMODITIES, on.good_fridays, None, since="2009-01-01"),  # b
    EndRule((FX, RATES), on.fridays_before_monday_holidays, "15:15", since="2009-01-01", until="2015-05-22"),  # b, c, d
    EndRule((FX,), on.fridays_before_columbus_day, "15:15", since="2009-01-01", until="2012-12-31"),  # b
    EndRule((FX, RATES), on.holidays, "12:00", since="2003-01-01"),  # b, c, d
    EndRule((FX,), on.holidays, "16:00", since="2022-01-01"),  # b
    EndRule((FX,), on.friday_holidays, "12:00", since="2022-01-01"),  # b
    EndRule((FX, RATES), on.fridays_after_thanksgiving, "12:15", since="2009-01-01"),  # b, c
    EndRule((FX,), on.fridays_after_thanksgiving, "13:45", since="2025-01-01"),  # b
    EndRule((FX, RATES), on.christmas_eves, "12:15", since="2009-01-01"),  # b, c
    EndRule((FX,), on.christmas_eves, "12:45", since="2025-01-01"),  # b
    EndRule((FX, RATES), on.good_fridays, None, since="2010-01-01"),  # b, c
    EndRule((FX, RATES), on.good_fridays_of_payrolls, "10:15", since="2010-01-01"),  # b, c
)

DATES: Final = (
    # Fridays before long weekends, as NYMEX kept them until then.
    EndOfDay(_COMMODITIES, "2010-01-15", "15:15"),  # b
    EndOfDay(_COMMODITIES, "2010-02-12", "15:15"),  # b
    EndOfDay(_COMMODITIES, "2010-05-28", "15:15"),  # b
    EndOfDay(_COMMODITIES, "2010-07-02", "15:15"),  # b
    EndOfDay(_COMMODITIES, "2010-09-03", "15:15"),  # b
    EndOfDay(_COMMODITIES, "2010-10-08", "15:15"),  # b
    EndOfDay(_COMMODITIES, "2010-12-31", "15:15"),  # b, c
    EndOfDay(_COMMODITIES, "2011-01-14", "15:15"),  # b
    EndOfDay((FX, RATES), "2010-12-31", "12:15"),  # b, c
    # The storm Sandy; cash bonds closed at noon in New York.
    EndOfDay((EQUITY,), "2012-10-29", "08:15"),  # d
    EndOfDay((RATES,), "2012-10-29", "11:00"),  # d
    EndOfDay((EQUITY,), "2012-10-30", "08:15"),  # d
    # National days of mourning. Energy, metals and currencies trade as ever.
    EndOfDay((EQUITY,), "2018-12-05", "08:30"),  # d
    EndOfDay((RATES,), "2018-12-05", None),  # d
    EndOfDay((EQUITY,), "2025-01-09", "08:30"),  # a, d
    EndOfDay((RATES,), "2025-01-09", "12:15"),  # d
)


def special_ends(calendar: str) -> dict[int, int | None]:
    """Return the end of each day that a rule or a date names, in minutes after midnight in Chicago, by days since 1970.

    None: the day has no session.
    """
    found: dict[int, int | None] = {}
    for rule in RULES:
        if calendar in rule.calendars:
            days = rule.days()
            kept = days[(days >= day_of(rule.since)) & (days <= day_of(rule.until))]
            found |= dict.fromkeys(kept.tolist(), _minutes(rule.end))
    dated = {day_of(one.day): _minutes(one.end) for one in DATES if calendar in one.calendars}
    return found | dated


def day_of(text: str) -> int:
    """Return the days since 1970 of "YYYY-MM-DD"."""
    return int(np.datetime64(text, "D").astype(np.int64))


def _minutes(end: str | None) -> int | None:
    return None if end is None else minutes(end)
