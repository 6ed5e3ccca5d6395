"""Bars in a table of named columns, whichever kind of file it was in."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from core.errors import GantryError, bad_data, invalid
from integrations.files.assemble import RawBars, assemble
from integrations.files.by_symbol import labels_of, split
from integrations.files.columns import Column
from integrations.files.headers import PRICES, ColumnRole, preference, role_of
from integrations.files.numbers import PLAIN, read_numbers
from integrations.files.payload import Payload
from integrations.files.times import Times, opens_ns, times_of
from integrations.files.types import FileBars, LeftOut, ReadOptions
from trading.bars.schema import Bars, FloatArray, IntArray, Timeframe
from trading.instruments import INSTRUMENTS

_WIDEST: Final = 0.05  # share of the price that a minute's range may be, in a file that doesn't name its columns
_SIMULATED: Final = "SIMULATED"
_NAMING: Final = (ColumnRole.SYMBOL, ColumnRole.CONTRACT, ColumnRole.INSTRUMENT_ID)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """columns: those that are read. numbers: int64[T], each row's number in the file. word: row or line.

    details: what the format adds to the source's details. named: whether the file names its columns. left_out: rows
    of the file that are not among these.
    """

    payload: Payload
    columns: Sequence[Column]
    numbers: IntArray
    word: str
    details: dict[str, Any]
    named: bool = True
    left_out: tuple[LeftOut, ...] = ()
    of_role: dict[ColumnRole, list[Column]] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[ColumnRole, list[Column]] = {}
        for column in sorted(self.columns, key=lambda column: preference(column.name)):
            if role := role_of(column.name):
                found.setdefault(role, []).append(column)
        object.__setattr__(self, "of_role", found)

    def first(self, role: ColumnRole) -> Column | None:
        """Return the preferred column of a role, if there is any."""
        return self.of_role.get(role, [None])[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """Prices and volume of all rows, and how they are written and named."""

    prices: dict[ColumnRole, FloatArray]
    volume: IntArray
    names: dict[str, str]
    style: str


def refuse_twins(payload: Payload, names: Sequence[str]) -> None:
    """Refuse a file that has a column twice: which one is meant can't be known.

    names: of all columns, lower case.

    Raises:
        GantryError: VALIDATION_FAILED.

    """
    twice = [name for name in names if role_of(name) and names.count(name) > 1]
    if twice:
        raise invalid(f"{payload.name} has column {twice[0]} twice.", fix="Name each column once.")


def read_table(table: Table, options: ReadOptions) -> list[FileBars]:
    """Return the bars of each symbol in a table; see `reader.read_bars_file`."""
    name = table.payload.name
    _check_columns(table)
    if not len(table.numbers):
        raise bad_data(f"{name} holds no bars.", fix="Export the file again, for a range that has bars.")
    times = times_of(table.of_role[ColumnRole.TIME], name)
    opens = opens_ns(times, options, name)
    if _newest_first(opens):
        return read_table(_reversed(table), options)
    chosen = split(name, labels_of(table.of_role, opens), options.symbol)
    values = _values(table, [one.symbol for one in chosen.symbols])
    every = Bars(
        symbol="",
        timeframe=Timeframe.M1,
        ts=opens,
        volume=values.volume,
        contract=np.zeros(len(opens), np.int32),
        contracts=("",),
        **{role.value: prices for role, prices in values.prices.items()},
    )
    if not table.named:
        _check_order(table, every)
    named = {role.value: column.name for role in _NAMING if (column := table.first(role))}
    details = {**table.details, **_described(times, {**values.names, **named}, values.style, options), **_label(table)}
    found = []
    for one in chosen.symbols:
        bars = replace(every.take(one.rows), symbol=one.symbol, contract=one.contract, contracts=one.contracts)
        read = assemble(table.payload, RawBars(bars, table.numbers[one.rows], table.word), details)
        found.append(replace(read, left_out=(*chosen.left_out, *table.left_out)))
    return found


def _newest_first(opens: IntArray) -> bool:
    """Whether every row is older than the one before, or of its minute; then the last row is the first bar."""
    return len(opens) > 1 and bool((opens[1:] <= opens[:-1]).all() and opens[-1] < opens[0])


def _reversed(table: Table) -> Table:
    numbers = table.numbers[::-1]

    def place(row: int) -> str:
        return f"{table.payload.name}, {table.word} {numbers[row]}"

    columns = [replace(column, values=column.values[::-1], place=place) for column in table.columns]
    details = {**table.details, "order": "newest first"}
    return replace(table, columns=columns, numbers=numbers, details=details)


def _check_columns(table: Table) -> None:
    volume = ColumnRole.VOLUME in table.of_role or {ColumnRole.UP, ColumnRole.DOWN} <= table.of_role.keys()
    needed = [role.value for role in PRICES if role not in table.of_role]
    missing = [*(["ts"] if ColumnRole.TIME not in table.of_role else []), *needed, *([] if volume else ["volume"])]
    if missing:
        held = ", ".join(column.name[:30] for column in table.columns[:12]) or "none that is known"
        raise invalid(
            f"{table.payload.name} has no column {', '.join(missing)}; known columns in it: {held}.",
            fix="Name the columns ts, open, high, low, close, volume, and contract where expiries are mixed.",
        )


def _values(table: Table, symbols: Sequence[str]) -> _Values:
    prices = [column for role in PRICES for column in table.of_role[role]]
    volumes = table.of_role.get(ColumnRole.VOLUME) or [
        table.of_role[role][0] for role in (ColumnRole.UP, ColumnRole.DOWN)
    ]
    instruments = [INSTRUMENTS[one] for one in symbols if one in INSTRUMENTS]
    read = read_numbers(prices, volumes, instruments=instruments)
    by_column = dict(zip(map(id, [*prices, *volumes]), read.columns, strict=True))
    named = {role: [by_column[id(column)] for column in table.of_role[role]] for role in PRICES}
    if ColumnRole.VOLUME in table.of_role:
        named[ColumnRole.VOLUME] = read.columns[len(prices) :]
        volume = named[ColumnRole.VOLUME][0].whole_numbers()
    else:
        up, down = read.columns[len(prices) :]
        named |= {ColumnRole.UP: [up], ColumnRole.DOWN: [down]}
        volume = up.whole_numbers() + down.whole_numbers()
    for columns in named.values():
        _refuse_unlike(columns)
    names = {role.value: columns[0].name for role, columns in named.items()}
    floats = {role: named[role][0].floats() for role in PRICES}
    return _Values(floats, volume, names, "" if read.style == PLAIN else str(read.style))


def _refuse_unlike(columns: Sequence[Column]) -> None:
    """Two columns that may both be meant must hold the same."""
    for other in columns[1:]:
        unlike = other.floats() != columns[0].floats()
        if unlike.any():
            row = int(unlike.argmax())
            raise invalid(
                f"{other.place(row)}: columns {columns[0].name} and {other.name} differ, and either may be meant.",
                fix="Leave one of the two columns out.",
            )


def _check_order(table: Table, bars: Bars) -> None:
    """Refuse columns without names that may be in another order than ours.

    Prices go on where the bar before ended, and a minute's range is a small part of them.
    """
    if len(bars) < 2:
        raise _no_header(table.payload, "it has one bar, which can't show that its columns are in the usual order")
    forward, backward = np.abs(bars.open[1:] - bars.close[:-1]).sum(), np.abs(bars.close[1:] - bars.open[:-1]).sum()
    wide = np.median(bars.high - bars.low) > _WIDEST * np.median(np.abs(bars.close))
    if forward > backward or wide:
        raise _no_header(table.payload, "its columns don't seem to be open, high, low, close and volume")


def _no_header(payload: Payload, what: str) -> GantryError:
    return invalid(
        f"{payload.name} has no header line, and {what}.",
        fix="Begin with a header line that names the columns, like ts,open,high,low,close,volume.",
    )


def _described(times: Times, names: dict[str, str], numbers: str, options: ReadOptions) -> dict[str, Any]:
    """What was understood, as JSON values."""
    zone = {"tz": times.zone or options.tz or "UTC"}
    if options.epoch_tz is not None:
        zone = {"tz": options.epoch_tz, "epoch_tz": options.epoch_tz}
    return {
        **zone,
        "clock": times.clock.value,
        "stamp": options.stamp.value,
        "time_column": times.name,
        "columns": {"time": times.name, **names},
        **({"numbers": numbers} if numbers else {}),
    }


def _label(table: Table) -> dict[str, str]:
    """Keep what an export of simulated bars says of itself: made bars stay made, whatever file they travel in."""
    column = table.first(ColumnRole.LABEL)
    return {ColumnRole.LABEL.value: _SIMULATED} if column is not None and _SIMULATED in column.texts() else {}
