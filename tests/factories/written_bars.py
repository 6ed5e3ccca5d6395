"""Files of bars as people have them: the same bars, written in one of many ways."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd

from trading.bars.schema import Bars, IntArray, Timeframe
from trading.bars.ticks import from_ticks
from trading.instruments import get_instrument
from trading.sessions import MINUTE_NS, expected_minutes

Row = dict[str, str]
DATES: Final = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y")
CLOCKS: Final = ("%H:%M", "%H:%M:%S", "%H:%M:%S.000", "%H%M", "%H%M%S", "%I:%M %p")
COUNTS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
STATED: Final = {"Z": "UTC", "-06:00": "Etc/GMT+6", "+0000": "UTC"}  # an offset as written, and a clock that keeps it
PLAIN_NAMES: Final = {
    **{role: (role,) for role in ("open", "high", "low", "close", "volume", "symbol")},
    "time": ("ts",),
}


@dataclass(frozen=True)
class Way:
    """How a file is written.

    names: of each role's columns; two for a date and a clock time, and for up and down. order: of the roles. zone: of
    the clock, IANA. offset: written behind each time. counts: unit of counts since 1970 that take the place of texts.
    symbol: what the symbol column says, if there is one. extra: columns nobody reads, by name.
    """

    names: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(PLAIN_NAMES))
    order: tuple[str, ...] = ("time", "open", "high", "low", "close", "volume")
    header: bool = True
    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    date: str = "%Y-%m-%d"
    clock: str = "%H:%M:%S"
    zeros: bool = True
    zone: str = "UTC"
    offset: str = "Z"
    counts: str = ""
    stamp: str = "open"
    symbol: str = ""
    extra: tuple[str, ...] = ()
    bom: bool = False
    newline: str = "\n"
    quotes: bool = False

    @property
    def naive(self) -> bool:
        """Whether the times state no zone."""
        return not self.counts and not self.offset

    @property
    def needs_quotes(self) -> bool:
        """Whether a number may hold the sign between values."""
        return self.delimiter in (self.decimal, self.thousands)


def bars_of_walk(symbol: str, start: str, count: int, *, seed: int = 1, contract: str = "") -> Bars:
    """Return that many one-minute bars from a time (UTC) on, on the minutes that the calendar allows."""
    instrument = get_instrument(symbol)
    start_ns = int(np.datetime64(start, "ns").astype(np.int64))
    ts = expected_minutes(instrument, start_ns, start_ns + (4 * count + 8000) * MINUTE_NS)[:count]
    return bars_at_times(symbol, ts, seed=seed, contract=contract)


def bars_at_times(symbol: str, ts: IntArray, *, seed: int = 1, contract: str = "") -> Bars:
    """Return a walk of bars at those times, ns UTC; each opens within a tick of the close before."""
    instrument, rng = get_instrument(symbol), np.random.default_rng(seed)
    level = {"6E": 21_500, "ZN": 7_100, "SI": 4_800, "YM": 37_400, "CL": 7_350}.get(symbol, 19_000)
    closes = level + np.cumsum(rng.integers(-3, 4, len(ts)))
    opens = np.concatenate((closes[:1], closes[:-1])) + rng.integers(-1, 2, len(ts))
    highs = np.maximum(opens, closes) + rng.integers(0, 4, len(ts))
    lows = np.minimum(opens, closes) - rng.integers(0, 4, len(ts))
    return Bars(
        symbol,
        Timeframe.M1,
        ts,
        from_ticks(opens, instrument),
        from_ticks(highs, instrument),
        from_ticks(lows, instrument),
        from_ticks(closes, instrument),
        rng.integers(20, 3000, len(ts)),
        np.zeros(len(ts), np.int32),
        (contract,),
    )


def rows_of(bars: Bars, way: Way) -> list[Row]:
    """Return the cells of each bar by the names of their columns."""
    places = max(0, -int(get_instrument(bars.symbol).tick_size.normalize().as_tuple().exponent))
    times = _times(bars.ts, way)
    rows = []
    for number, values in enumerate(zip(*bars.ohlc(), strict=True)):
        cells: Row = dict(zip(way.names["time"], times[number], strict=True))
        for role, value in zip(("open", "high", "low", "close"), values, strict=True):
            cells[way.names[role][0]] = _number(f"{float(value):.{places}f}", way)
        cells |= _volume(int(bars.volume[number]), way)
        if way.symbol:
            cells[way.names["symbol"][0]] = way.symbol
        cells |= {name: str(number % 7) for name in way.extra}
        rows.append(cells)
    return rows


def columns_of(way: Way) -> list[str]:
    """Return the names of the columns, in order."""
    roles = [*way.order, *(["symbol"] if way.symbol else [])]
    return [*(name for role in roles for name in way.names[role]), *way.extra]


def written(rows: Sequence[Row], way: Way) -> bytes:
    """Return the file."""
    columns = columns_of(way)
    lines = [columns] if way.header else []
    lines += [[row[name] for name in columns] for row in rows]
    mark = '"' if way.quotes or way.needs_quotes else ""
    text = way.newline.join(way.delimiter.join(f"{mark}{cell}{mark}" for cell in line) for line in lines)
    return (("\ufeff" if way.bom else "") + text + way.newline).encode()


def file_of(bars: Bars, way: Way) -> bytes:
    """Return the bars as a file."""
    return written(rows_of(bars, way), way)


def _times(ts: IntArray, way: Way) -> list[tuple[str, ...]]:
    shown = ts + (MINUTE_NS if way.stamp == "close" else 0)
    local = pd.DatetimeIndex(shown.astype("datetime64[ns]")).tz_localize("UTC").tz_convert(way.zone).tz_localize(None)
    if way.counts:
        return [(str(count // COUNTS[way.counts]),) for count in local.as_unit("ns").asi8.tolist()]
    dates, clocks = local.strftime(way.date), local.strftime(way.clock)
    if not way.zeros and way.clock in ("%H%M", "%H%M%S"):
        clocks = clocks.map(lambda clock: str(int(clock)))
    if len(way.names["time"]) == 2:
        return [(date, f"{clock}{way.offset}") for date, clock in zip(dates, clocks, strict=True)]
    return [(f"{date} {clock}{way.offset}",) for date, clock in zip(dates, clocks, strict=True)]


def _volume(volume: int, way: Way) -> Row:
    names = way.names["volume"]
    if len(names) == 1:
        return {names[0]: _number(str(volume), way)}
    return {names[0]: _number(str(volume // 3), way), names[1]: _number(str(volume - volume // 3), way)}


def _number(text: str, way: Way) -> str:
    whole, _, decimals = text.partition(".")
    if way.thousands:
        whole = f"{Decimal(whole):,}".replace(",", way.thousands)
    return f"{whole}{way.decimal}{decimals}" if decimals else whole
