"""Files of bars at random: a way of writing, faults on top, and what a reader may make of the file."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from tests.factories.written_bars import (
    CLOCKS,
    COUNTS,
    DATES,
    PLAIN_NAMES,
    Row,
    Way,
    bars_at_times,
    bars_of_walk,
    rows_of,
    written,
)
from trading.bars.schema import Bars
from trading.sessions import DAY_NS, HOUR_NS, MINUTE_NS

SYMBOLS: Final = ("ES", "NQ", "YM", "CL", "GC", "6E", "ZN", "SI")
ZONES: Final = ("UTC", "America/New_York", "America/Chicago", "Europe/London")
NAMES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "open": (("open",), ("Open",), ("OPEN",), ("<OPEN>",), ("O",)),
    "high": (("high",), ("High",), ("<HIGH>",), ("h",)),
    "low": (("low",), ("Low",), ("<LOW>",), ("L",)),
    "close": (("close",), ("Close",), ("Last",), ("<CLOSE>",), ("CLOSE",)),
    "volume": (("volume",), ("Volume",), ("Vol",), ("TotalVolume",), ("<VOL>",), ("Up", "Down")),
    "symbol": (("symbol",), ("Symbol",), ("Ticker",), ("contract",)),
}
ONE_TIME: Final = (("ts",), ("Timestamp",), ("time",), ("DateTime",), ("Date/Time",), ("Date",))
TWO_TIMES: Final = (("Date", "Time"), ("<DATE>", "<TIME>"), ("date", "TIME"))
SERIES: Final = ("{root}", "{root}.c.0", "{root}=F", "{root}1!", "@{root}", "CME_MINI:{root}1!", "/{root}")
CONTRACTS: Final = (
    "{root}H4",
    "{root}H24",
    "{root}H2024",
    "{root} 03-24",
    "/{root}H24",
    "CME:{root}H2024",
    "{root} 202403",
)
EXTRA: Final = ((), (), (), ("OI",), ("Spread", "Trades"), ("BidVolume", "AskVolume"), ("",))
MARKS: Final = ((".", ""), (".", ""), (".", ""), (",", ""), (",", "."), (".", ","), (",", " "), (".", "'"))


@dataclass(frozen=True)
class Mutated:
    """A file at random.

    truth: the bars it was made of; None where every reading of it is wrong. faults: what was done to it, none for a
    file that is only written in its own way. last_cell: whether the last one may have lost characters. options: what
    the user says, all of it true.
    """

    content: bytes
    options: dict[str, Any]
    truth: Bars | None
    way: Way
    faults: tuple[str, ...]
    last_cell: bool = False


def mutated(dice: random.Random) -> Mutated:
    """Return a file that a person may have."""
    symbol, seed = dice.choice(SYMBOLS), dice.randrange(10**6)
    contract = f"{symbol}H24" if dice.random() < 0.3 else ""
    way = _way(dice, symbol, contract)
    bars = _bars(dice, symbol, seed, contract if way.symbol else "")
    options = _options(dice, way, symbol)
    fault = dice.choice(list(_FAULTS)) if dice.random() < 0.5 else ""
    if not fault:
        return Mutated(written(rows_of(bars, way), way), options, bars, way, ())
    return replace(_FAULTS[fault](dice, bars, way, options), faults=(fault,))


def _bars(dice: random.Random, symbol: str, seed: int, contract: str) -> Bars:
    day = np.datetime64("2023-12-17") + dice.randrange(85)  # in reach of the contract of March
    start = f"{day}T{dice.randrange(24):02d}:{dice.randrange(60):02d}"
    return bars_of_walk(symbol, start, dice.choice((20, 60, 150, 400)), seed=seed, contract=contract)


def _way(dice: random.Random, symbol: str, contract: str) -> Way:
    counts = dice.choice(tuple(COUNTS)) if dice.random() < 0.2 else ""
    naive = not counts and dice.random() < 0.6
    two = not counts and dice.random() < 0.5
    decimal, thousands = dice.choice(MARKS)
    order = ["time", "open", "high", "low", "close", "volume"]
    header = dice.random() < 0.85
    if header and dice.random() < 0.5:
        dice.shuffle(order)
    names = {role: dice.choice(NAMES[role]) for role in NAMES}
    names["time"] = dice.choice(TWO_TIMES if two else ONE_TIME)
    if not header:
        names = {**PLAIN_NAMES, "time": names["time"]}
    spelling = dice.choice(CONTRACTS if contract else SERIES).format(root=symbol)
    clock = dice.choice(CLOCKS)
    return Way(
        names=names,
        order=tuple(order),
        header=header,
        delimiter=dice.choice((",", ",", ";", "\t", "|")),
        decimal=decimal,
        thousands=thousands,
        date=dice.choice(DATES),
        clock=clock,
        zeros=dice.random() < 0.7,
        zone=dice.choice(ZONES) if naive or counts else "UTC",
        offset="" if naive or counts else dice.choice(("Z", "+00:00", "+0000")),
        counts=counts,
        stamp=dice.choice(("open", "open", "close")),
        symbol=spelling if header and (contract or dice.random() < 0.3) else "",
        extra=dice.choice(EXTRA) if header else (),
        bom=dice.random() < 0.3,
        newline=dice.choice(("\n", "\n", "\r\n")),
        quotes=dice.random() < 0.2,
    )


def _options(dice: random.Random, way: Way, symbol: str) -> dict[str, Any]:
    options: dict[str, Any] = {"stamp": way.stamp}
    if not way.symbol or dice.random() < 0.5:
        options["symbol"] = symbol
    if way.naive and dice.random() < 0.95:
        options["tz"] = way.zone
    if way.counts and way.zone != "UTC":
        options["epoch_tz"] = way.zone
    return options


def _file(rows: list[Row], way: Way, options: dict[str, Any], truth: Bars | None) -> Mutated:
    return Mutated(written(rows, way), options, truth, way, ())


def _spreads(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    """Rows of a spread between the others: they are left out."""
    if not way.symbol:
        return _cut(dice, bars, way, options)
    name = dice.choice(("{0}H4-{0}M4", "{0}H24-{0}M24", "{0}:BF H4-M4-U4")).format(bars.symbol)
    rows: list[Row] = []
    for row in rows_of(bars, way):
        rows += [{**row, way.names["symbol"][0]: name}, row] if dice.random() < 0.5 else [row]
    return _file(rows, way, options, bars)


def _cut(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    """The last line isn't whole."""
    content = written(rows_of(bars, way), way).rstrip()
    last = len(content) - max(content.rfind(b"\n"), 0) - 1
    gone = dice.randrange(1, 4 if dice.random() < 0.5 else last)
    return Mutated(content[: len(content) - gone], options, bars, way, (), last_cell=True)


def _repeated(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    rows = rows_of(bars, way)
    at = dice.randrange(len(rows))
    return _file([*rows[: at + 1], *rows[at:]], way, options, None)


def _shuffled(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    rows = rows_of(bars, way)
    dice.shuffle(rows)
    return _file(rows, way, options, None)


def _swapped(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    """Columns without names in another order."""
    order = list(PLAIN_NAMES)[:5]
    while order == list(PLAIN_NAMES)[:5]:
        dice.shuffle(order)
    other = replace(way, header=False, names={**PLAIN_NAMES, "time": way.names["time"]}, symbol="", extra=(),
                    order=("time", *order))  # fmt: skip
    return _file(rows_of(bars, other), other, {**options, "symbol": bars.symbol}, None)


def _longer(step: int) -> Callable[..., Mutated]:
    def make(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
        first = int(bars.ts[0]) // DAY_NS * DAY_NS
        longer = bars_at_times(bars.symbol, first + np.arange(dice.choice((10, 40))) * step, contract=bars.contracts[0])
        return _file(rows_of(longer, way), way, options, None)

    return make


def _seconds(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    step = dice.choice((1, 5, 15, 30))
    shorter = bars_at_times(bars.symbol, bars.ts[0] + np.arange(60) * step * 10**9, contract=bars.contracts[0])
    return _file(rows_of(shorter, way), way, options, None)


def _damaged(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    """A sign between values is another one in one place."""
    content = bytearray(written(rows_of(bars, way), way))
    places = [at for at, byte in enumerate(content) if byte == ord(way.delimiter)]
    content[dice.choice(places)] = ord(dice.choice([sign for sign in ",;\t|" if sign != way.delimiter]))
    return Mutated(bytes(content), options, bars, way, ())


def _wrong_clock(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    """Whole sessions of a clock that the user misstates."""
    zone, message = dice.sample(("UTC", "America/New_York", "America/Chicago"), 2)
    counts = way.counts or ("s" if dice.random() < 0.3 else "")
    other = replace(way, zone=zone, offset="", counts=counts, names={**way.names, "time": ("ts",)})
    day = np.datetime64("2024-01-08") + 7 * dice.randrange(6)
    whole = bars_of_walk(bars.symbol, f"{day}T23:00", 2 * 1380, contract=bars.contracts[0])
    stated = {key: value for key, value in options.items() if key not in ("tz", "epoch_tz")}
    return _file(rows_of(whole, other), other, {**stated, "epoch_tz" if counts else "tz": message}, None)


def _day_session(dice: random.Random, bars: Bars, way: Way, options: dict[str, Any]) -> Mutated:
    """The day session alone of two days, without a word of it."""
    start = np.datetime64("2024-01-09T14:30") + np.timedelta64(7 * dice.randrange(6), "D")
    first = int(start.astype("datetime64[ns]").astype(np.int64))
    minutes = np.concatenate([first + day * DAY_NS + np.arange(300) * MINUTE_NS for day in (0, 1)])
    return _file(rows_of(bars_at_times(bars.symbol, minutes, contract=bars.contracts[0]), way), way, options, None)


_FAULTS: Final[dict[str, Callable[..., Mutated]]] = {
    "spreads": _spreads,
    "cut": _cut,
    "repeated": _repeated,
    "shuffled": _shuffled,
    "swapped": _swapped,
    "five minutes": _longer(5 * MINUTE_NS),
    "an hour": _longer(HOUR_NS),
    "a day": _longer(DAY_NS),
    "seconds": _seconds,
    "damaged": _damaged,
    "wrong clock": _wrong_clock,
    "day session": _day_session,
}
