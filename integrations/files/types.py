"""How a file of bars is to be read, and what comes out of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from trading.bars.schema import Bars
from trading.day_session import Hours, hours_of

SHOWN_NAMES: Final = 5  # in a message, of many


class Stamp(StrEnum):
    """Which moment of a bar its time names."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a user says of a file.

    symbol: the instrument; needed where the file doesn't say. tz: IANA time zone of times that state none.
    epoch_tz: the zone whose clock counts since 1970 were made from; None for counts of UTC.
    """

    symbol: str | None = None
    tz: str | None = None
    epoch_tz: str | None = None
    stamp: Stamp = Stamp.OPEN
    hours: Hours = Hours.ALL


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that were not read. why: what they hold, such as spreads. names: up to five, as in the file."""

    why: str
    rows: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rows:,} {'row' if self.rows == 1 else 'rows'} of {self.why} ({', '.join(self.names)})"


@dataclass(frozen=True, slots=True, eq=False)
class FileBars:
    """One symbol's one-minute bars of a file, valid bar by bar, sorted by (ts, contract).

    source_name: the file's name without its folder. source_sha256: of the file as it is on disk.
    source_details: format, time zone, stamp, and what the format says of itself; JSON values.
    left_out: the file's rows that are of no outright future, or of a symbol that was not asked for; its footer.
    """

    bars: Bars
    source_name: str
    source_sha256: str
    source_details: dict[str, Any]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def hours(self) -> Hours:
        """Which part of each session the bars cover, as the user says."""
        return hours_of(self.source_details)
