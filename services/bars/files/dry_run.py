"""What an import would understand of a file and make of it, without writing anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from core.errors import GantryError
from integrations.files.likely import refuse_other_hours
from integrations.files.types import FileBars, LeftOut, ReadOptions
from services.bars.files.read_file import JudgedMonth, judged, notes_on, read_unjudged
from trading.bars.quality import MonthVerdict
from trading.bars.quality_types import stamp
from trading.bars.schema import Bars
from trading.day_session import Hours

_ROWS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class ShownBar:
    """One bar. opened_at: RFC 3339 UTC. Prices in price units."""

    opened_at: str
    contract: str
    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True, slots=True)
class UnderstoodBars:
    """One symbol's bars, with the first and the last of them, at most three each.

    verdict: BLOCKED where an import would refuse them, problem and fix say why; else the worst of its months.
    """

    symbol: str
    contracts: tuple[str, ...]
    bars_count: int
    first: tuple[ShownBar, ...]
    last: tuple[ShownBar, ...]
    months: tuple[JudgedMonth, ...]
    verdict: MonthVerdict
    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of a file. details: columns, clock, zone, stamp and what the format says; JSON values."""

    source_name: str
    source_sha256: str
    timeframe: str
    hours: Hours
    details: Mapping[str, object]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    symbols: tuple[UnderstoodBars, ...]

    @property
    def blocked(self) -> bool:
        """Whether an import would refuse the file."""
        return any(one.verdict is MonthVerdict.BLOCKED for one in self.symbols)


def understand_file(path: Path, options: ReadOptions, now: datetime) -> Understood:
    """Read a file as an import does, judge its months, and change nothing. now: aware, UTC.

    Bars that are there already aren't looked at: an import may still find that they contradict these.

    Raises:
        GantryError: for a file that can't be read, as `services.bars.files.read_file.read_file` raises it.

    """
    found = read_unjudged(path, options)
    first = found[0]
    return Understood(
        first.source_name,
        first.source_sha256,
        first.bars.timeframe.value,
        first.hours,
        first.source_details,
        first.left_out,
        notes_on(found),
        tuple(_understood(one, now) for one in found),
    )


def _understood(one: FileBars, now: datetime) -> UnderstoodBars:
    bars = one.bars
    months: tuple[JudgedMonth, ...] = ()
    verdict, problem, fix = MonthVerdict.BLOCKED, "", ""
    try:
        refuse_other_hours(one)
        months = judged(one, now)
    except GantryError as error:
        problem, fix = error.message, error.fix
    else:
        warned = any(month.quality.verdict is MonthVerdict.WARN for month in months)
        verdict = MonthVerdict.WARN if warned else MonthVerdict.OK
    first, last = (_shown(bars, rows) for rows in (slice(0, _ROWS_SHOWN), slice(-_ROWS_SHOWN, None)))
    return UnderstoodBars(bars.symbol, bars.contracts, len(bars), first, last, months, verdict, problem, fix)


def _shown(bars: Bars, rows: slice) -> tuple[ShownBar, ...]:
    some = bars.take(rows)
    return tuple(_bar(some, row) for row in range(len(some)))


def _bar(bars: Bars, row: int) -> ShownBar:
    opened, high, low, close = (float(prices[row]) for prices in bars.ohlc())
    contract, volume = bars.contracts[bars.contract[row]], int(bars.volume[row])
    return ShownBar(stamp(bars.ts[row]), contract, opened, high, low, close, volume)
