"""Files of bars that were misread once: made here in the same shape, and what is right for each.

The files themselves, of the same names, are in the folder `reports` of GANTRY_TEST_DATA.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tests.factories.written_bars import PLAIN_NAMES, Way, bars_at_times, bars_of_walk, file_of, rows_of, written
from trading.bars.schema import Bars
from trading.sessions import DAY_NS, globex_minute

NEW_YORK: Final = "America/New_York"
BACKTEST: Final = ("--strategy", "sma_cross", "--param", "fast=2", "--param", "slow=5")
SESSIONS: Final = bars_of_walk("ES", "2024-01-02T23:00", 4140)  # three whole sessions


@dataclass(frozen=True)
class Case:
    """A file, what a user says of it, and what comes of that.

    bars: read of it; None where it is refused. words: in what is printed. absent: nowhere in it.
    """

    file: str
    symbol: str
    options: tuple[str, ...]
    bars: int | None
    words: tuple[str, ...]
    absent: str = "Traceback"

    def __str__(self) -> str:
        return " ".join((self.file, *self.options))


CASES: Final = (
    Case("databento_continuous.csv", "ES", (), 60, ("contracts 17077", "first 2024-01-03T14:30:00Z")),
    Case("databento_parent.csv", "ES", (), 60, ("60 rows of spreads (ESH4-ESM4)", "contracts ESH24")),
    Case("hhmm_evening.csv", "NQ", (), None, ("states no time zone", "--tz")),
    Case(
        "hhmm_evening.csv", "NQ", ("--tz", NEW_YORK), 20, ("first 2024-01-04T01:00:00Z", "last  2024-01-04T01:19:00Z")
    ),
    Case("daily_10_rows.csv", "ES", (), None, ("1 day apart, not one-minute bars",), "--timeframe"),
    Case("daily_10_rows.csv", "ES", ("--tz", "UTC"), None, ("1 day apart, not one-minute bars",), "--timeframe"),
    Case("epoch_of_local_clock.csv", "ES", (), None, ("Give --epoch-tz America/New_York.",)),
    Case("epoch_of_local_clock.csv", "ES", ("--epoch-tz", NEW_YORK), 4140, ("first 2024-01-02T23:00:00Z",)),
    Case("epoch_of_local_clock.csv", "ES", ("--tz", NEW_YORK), None, ("give --epoch-tz America/New_York instead",)),
    Case("new_york_clock.csv", "ES", ("--tz", "UTC"), None, ("Give --tz America/New_York.",)),
    Case("new_york_clock.csv", "ES", (), None, ("Give --tz America/New_York.",)),
    Case("new_york_clock.csv", "ES", ("--tz", NEW_YORK), 4140, ("first 2024-01-02T23:00:00Z",)),
    Case("day_session_only.csv", "ES", (), None, ("day session alone, 08:30 to 15:15 Chicago", "Give --hours rth")),
    Case("day_session_only.csv", "ES", ("--hours", "rth"), 1215, ("the day session alone",)),
)


def made(file: str) -> bytes:
    """Return a file of that shape."""
    return _MADE[file]()


def day_session(bars: Bars) -> Bars:
    """Return the bars from 08:30 to 15:15 in Chicago."""
    minute = globex_minute(bars.ts)
    return bars.take((minute >= 510) & (minute < 915))


def _continuous() -> bytes:
    bars = bars_of_walk("ES", "2024-01-03T14:30", 60)
    return written([{**row, "instrument_id": "17077"} for row in rows_of(bars, _DATABENTO)], _DATABENTO)


def _parent() -> bytes:
    way = replace(_DATABENTO, symbol="ESH4")
    spread = {**dict.fromkeys(("open", "high", "low", "close"), "-55.25"), "symbol": "ESH4-ESM4"}
    rows = rows_of(bars_of_walk("ES", "2024-01-03T14:30", 60), way)
    return written([row for one in rows for row in ({**one, **spread}, one)], way)


def _evening() -> bytes:
    names = {**PLAIN_NAMES, "time": ("Date", "Time")}
    way = Way(names=names, date="%Y%m%d", clock="%H%M", zone=NEW_YORK, offset="")
    return file_of(bars_of_walk("NQ", "2024-01-04T01:00", 20), way)


def _daily() -> bytes:
    days = np.array([0, 1, 2, 3, 6, 7, 8, 9, 10, 13]) * DAY_NS + int(np.datetime64("2024-01-02", "ns").astype(np.int64))
    return file_of(bars_at_times("ES", days), Way(offset=""))


def _with(way: Way) -> Callable[[], bytes]:
    return lambda: file_of(SESSIONS, way)


_DATABENTO: Final = Way(
    names={**PLAIN_NAMES, "time": ("ts_event",)}, clock="%H:%M:%S.000", symbol="ES.c.0", extra=("instrument_id",)
)
_MADE: Final[dict[str, Callable[[], bytes]]] = {
    "databento_continuous.csv": _continuous,
    "databento_parent.csv": _parent,
    "hhmm_evening.csv": _evening,
    "daily_10_rows.csv": _daily,
    "epoch_of_local_clock.csv": _with(Way(counts="s", zone=NEW_YORK)),
    "new_york_clock.csv": _with(Way(zone=NEW_YORK, offset="")),
    "day_session_only.csv": lambda: file_of(day_session(SESSIONS), Way()),
}
