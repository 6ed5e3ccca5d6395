"""When the exchange itself stood still outside its schedule: minutes without a bar that are nobody's gap.

Bars may lie inside: trades of the last moments, or products that came back before the others. A halt is listed where a
source names its start and its end.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from trading.calendar.ends import ENERGY, EQUITY, FX, METALS, RATES
from trading.day_session import DAY_CALENDAR
from trading.instruments import Instrument

_ALL: Final = frozenset({EQUITY, ENERGY, METALS, FX, RATES})
NS_PER_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Halt:
    """One halt: UTC, start inclusive, end exclusive; the calendars it stopped; what happened, and who says so."""

    start: datetime
    end: datetime
    calendars: frozenset[str]
    what: str
    source: str

    @property
    def start_ns(self) -> int:
        """Start in ns since 1970."""
        return _ns(self.start)

    @property
    def end_ns(self) -> int:
        """End, exclusive, in ns since 1970."""
        return _ns(self.end)


KNOWN_HALTS: Final = (
    Halt(
        datetime(2014, 8, 24, 22, 0, tzinfo=UTC),
        datetime(2014, 8, 25, 2, 0, tzinfo=UTC),
        _ALL,
        "Globex opened four hours late, at 21:00 Chicago time on a Sunday, after a weekend's change of software.",
        "CME Group's spokeswoman to Bloomberg, 2014-08-25",
    ),
    Halt(
        datetime(2015, 6, 30, 22, 0, tzinfo=UTC),
        datetime(2015, 7, 1, 0, 45, tzinfo=UTC),
        _ALL,
        "Globex opened at 19:45 Chicago time, after a leap second.",
        "CME Group's notice on the leap second of 2015-06-30",
    ),
    Halt(
        datetime(2019, 2, 27, 0, 40, tzinfo=UTC),
        datetime(2019, 2, 27, 3, 45, tzinfo=UTC),
        _ALL,
        "Globex was halted for three hours, from 18:40 to 21:45 Chicago time, by a technical fault.",
        "The Wall Street Journal, 2019-02-28: last quotes at 19:40, all markets open by 22:45 Eastern time",
    ),
    Halt(
        datetime(2025, 11, 28, 2, 45, tzinfo=UTC),
        datetime(2025, 11, 28, 13, 30, tzinfo=UTC),
        _ALL,
        "Globex was halted from 20:45 to 07:30 Chicago time when the cooling of its data centre failed.",
        "CME Group's statement of 2025-11-28; minutes read off real ES bars",
    ),
    Halt(
        datetime(2026, 2, 25, 18, 15, tzinfo=UTC),
        datetime(2026, 2, 25, 19, 45, tzinfo=UTC),
        frozenset({METALS}),
        "Metals were halted from 12:15 to 13:45 Chicago time by a technical fault (natural gas until 12:50).",
        "CME Group's Global Command Center, 2026-02-25",
    ),
)


def halts_between(instrument: Instrument, start_ns: int, end_ns: int) -> tuple[Halt, ...]:
    """Return the halts of this instrument that touch [start_ns, end_ns), ns UTC, in order of time."""
    calendar = instrument.calendar.removesuffix(DAY_CALENDAR)
    return tuple(
        halt for halt in KNOWN_HALTS if calendar in halt.calendars and halt.start_ns < end_ns and start_ns < halt.end_ns
    )


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * NS_PER_SECOND
