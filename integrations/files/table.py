"""Bars in a table of named columns, whichever kind of file it was in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from core.errors import GantryError, bad_data, invalid
from integrations.files.assemble import RawBars, assemble
from integrations.files.columns import Column
from integrations.files.payload import Payload
from integrations.files.times import opens_ns
from integrations.files.types import FileBars, Stamp
from trading.bars.contracts import long_name, parse_contract
from trading.bars.schema import Bars, IntArray, Timeframe

TIME_COLUMNS: Final = (
    "ts",
    "timestamp",
    "timestamp_utc",
    "ts_utc",
    "time",
    "time_utc",
    "datetime",
    "datetime_utc",
    "ts_event",
)
PRICE_COLUMNS: Final = ("open", "high", "low", "close")
SYMBOL_COLUMNS: Final = ("symbol",)
CONTRACT_COLUMNS: Final = ("contract", "instrument_id")
LABEL_COLUMN: Final = "data_label"  # as our own export writes it
WANTED_COLUMNS: Final = frozenset(
    (*TIME_COLUMNS, *PRICE_COLUMNS, "volume", *SYMBOL_COLUMNS, *CONTRACT_COLUMNS, LABEL_COLUMN)
)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """columns: by lower-case name. numbers: int64[T], each row's number in the file. word: row or line.

    details: what the format adds to the source's details.
    """

    payload: Payload
    columns: dict[str, Column]
    numbers: IntArray
    word: str
    details: dict[str, Any]


def refuse_twins(payload: Payload, names: Sequence[str]) -> None:
    """Refuse a file that has a column twice: which one is meant can't be known.

    names: of all columns, lower case.

    Raises:
        GantryError: VALIDATION_FAILED.

    """
    twice = [name for name in names if name in WANTED_COLUMNS and names.count(name) > 1]
    if twice:
        raise invalid(f"{payload.name} has column {twice[0]} twice.", fix="Name each column once.")


def read_table(table: Table, *, symbol: str | None, tz: str | None, stamp: Stamp) -> list[FileBars]:
    """Return the bars of each symbol in a table; see `reader.read_bars_file`."""
    times = next((table.columns[name] for name in TIME_COLUMNS if name in table.columns), None)
    missing = [name for name in (*PRICE_COLUMNS, "volume") if name not in table.columns]
    if times is None or missing:
        raise _without(table, missing if times is not None else ["ts", *missing])
    if not len(table.numbers):
        raise bad_data(f"{table.payload.name} holds no bars.", fix="Export the file again, for a range that has bars.")
    prices = {name: table.columns[name].floats() for name in PRICE_COLUMNS}
    every = Bars(
        symbol="",
        timeframe=Timeframe.M1,
        ts=opens_ns(times, tz=tz, stamp=stamp),
        volume=table.columns["volume"].whole_numbers(),
        contract=np.zeros(len(table.numbers), np.int32),
        contracts=("",),
        **prices,
    )
    zone = "UTC" if tz is None else tz
    details = {**table.details, "tz": zone, "stamp": stamp.value, "time_column": times.name, **_label(table)}
    return [assemble(table.payload, rows, details) for rows in _by_symbol(table, every, symbol)]


def _label(table: Table) -> dict[str, str]:
    """Keep what an export of simulated bars says of itself: made bars stay made, whatever file they travel in."""
    column = table.columns.get(LABEL_COLUMN)
    return {LABEL_COLUMN: "SIMULATED"} if column is not None and "SIMULATED" in column.texts() else {}


def _without(table: Table, missing: list[str]) -> GantryError:
    held = ", ".join(name[:30] for name in list(table.columns)[:12]) or "none that is known"
    return invalid(
        f"{table.payload.name} has no column {', '.join(missing)}; known columns in it: {held}.",
        fix="Name the columns ts, open, high, low, close, volume, and contract where expiries are mixed.",
    )


def _by_symbol(table: Table, every: Bars, symbol: str | None) -> Iterator[RawBars]:
    """Split the rows by the symbol that their names, or the caller, give them."""
    labels = [*zip(*(_texts(table, columns) for columns in (SYMBOL_COLUMNS, CONTRACT_COLUMNS)), strict=True)]
    number = {label: position for position, label in enumerate(dict.fromkeys(labels))}
    label_of_row = np.array([number[label] for label in labels], np.int64)
    names = [_named(label, every.ts[int((label_of_row == position).argmax())]) for label, position in number.items()]
    roots = [name.symbol or symbol or _unsaid(table) for name in names]
    if symbol is not None and symbol not in roots:
        held = ", ".join(dict.fromkeys(roots))
        raise invalid(
            f"{table.payload.name} holds bars of {held[:80]}, not of {symbol}.",
            fix="Give the symbol that the file holds.",
            field="symbol",
        )
    for one in dict.fromkeys(roots) if symbol is None else (symbol,):
        contracts = tuple(dict.fromkeys(name.contract for name, root in zip(names, roots, strict=True) if root == one))
        contract = np.array([contracts.index(name.contract) if name.contract in contracts else 0 for name in names])
        mine = np.flatnonzero(np.array([root == one for root in roots])[label_of_row])
        bars = replace(every.take(mine), symbol=one, contracts=contracts)
        numbered = replace(bars, contract=contract[label_of_row[mine]].astype(np.int32))
        yield RawBars(numbered, table.numbers[mine], table.word)


def _texts(table: Table, names: tuple[str, ...]) -> list[str]:
    column = next((table.columns[name] for name in names if name in table.columns), None)
    return [""] * len(table.numbers) if column is None else column.texts()


def _unsaid(table: Table) -> str:
    raise invalid(
        f"{table.payload.name} doesn't say of which symbol its bars are.",
        fix="Give --symbol, for example --symbol ES.",
        field="symbol",
    )


class _Named(NamedTuple):
    """symbol: None where the file doesn't say."""

    symbol: str | None
    contract: str


def _named(label: tuple[str, str], first_ts: np.int64) -> _Named:
    """Read a row's symbol (ES or ESH4) and contract (ESH4, ES 202403, an id, or none)."""
    symbol, contract = label
    month = str(first_ts.astype("datetime64[ns]").astype("datetime64[M]"))
    for text in (contract, symbol):
        if parsed := parse_contract(text):
            return _Named(parsed.root, long_name(text, traded_year=int(month[:4]), traded_month=int(month[5:])))
    return _Named(symbol or None, contract)
