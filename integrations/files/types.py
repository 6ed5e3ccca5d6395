"""What comes out of a file of bars."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trading.bars.schema import Bars


class Stamp(StrEnum):
    """Which moment of a bar its time names."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, eq=False)
class FileBars:
    """One symbol's one-minute bars of a file, valid bar by bar, sorted by (ts, contract).

    source_name: the file's name without its folder. source_sha256: of the file as it is on disk.
    source_details: format, time zone, stamp, and what the format says of itself; JSON values.
    """

    bars: Bars
    source_name: str
    source_sha256: str
    source_details: dict[str, Any]
