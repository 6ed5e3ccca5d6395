"""Numbers as texts: which sign is the decimal one, and which parts thousands, decided by all of a file's numbers.

4750.25, 4,750.25, 4750,25, 4.750,25, 4 750,25 and 4'750.25 are read. Where two ways of writing fit all of a file's
numbers (4,750), the one is taken that gives prices on ticks and of the size that the instrument's have; where neither
decides, the file is refused.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.errors import GantryError, bad_data
from integrations.files.columns import EXPORT_AGAIN, Column, ColumnKind
from integrations.files.thirty_seconds import in_32nds, price_in_32nds, trades_in_32nds
from integrations.files.when import once
from trading.bars.schema import FloatArray, IntArray
from trading.bars.ticks import off_grid
from trading.instruments import Instrument

_SPACES: Final = str.maketrans("\u00a0\u202f\u2009\u2019", "   '")  # spaces that don't break, and Switzerland's '
_FIXED: Final = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
# Prices of the last thirty years were within ten times of these, up and down, but for CL in April 2020.
_USUAL: Final = {
    **dict.fromkeys(("ES", "MES"), 3000.0),
    **dict.fromkeys(("NQ", "MNQ"), 8000.0),
    **dict.fromkeys(("YM", "MYM"), 25_000.0),
    **dict.fromkeys(("RTY", "M2K"), 1500.0),
    **dict.fromkeys(("CL", "MCL"), 60.0),
    **dict.fromkeys(("GC", "MGC"), 1500.0),
    "SI": 20.0,
    "6E": 1.2,
    "ZN": 120.0,
}
_NEAR, _FAR = 10, 50  # times the usual price, or its part: a sign between thousands is a factor of thousand


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """decimal: the sign before decimals. thousands: the one between groups of three digits, empty for none."""

    decimal: str
    thousands: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a number of this style looks like."""
        whole = rf"[1-9]\d{{0,2}}(?:{re.escape(self.thousands)}\d{{3}})+" if self.thousands else r"\d+"
        return re.compile(rf"[+-]?(?:\d+|{whole})(?:{re.escape(self.decimal)}\d+)?")

    def value(self, text: str) -> float:
        """Return the number; the text fits the pattern."""
        whole = text.replace(self.thousands, "") if self.thousands else text
        return float(whole.replace(self.decimal, "."))

    def __str__(self) -> str:
        groups = {"": "", " ": ", thousands apart"}.get(self.thousands, f", thousands by {self.thousands!r}")
        return f"decimal {'comma' if self.decimal == ',' else 'point'}{groups}"


PLAIN: Final = NumberStyle(".", "")
_STYLES: Final = (
    PLAIN,
    *(NumberStyle(".", ","), NumberStyle(",", ""), NumberStyle(",", ".")),
    *(NumberStyle(",", " "), NumberStyle(".", " "), NumberStyle(".", "'"), NumberStyle(",", "'")),
)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """columns: those given, of numbers now. style: how they are written."""

    columns: list[Column]
    style: NumberStyle


@dataclass(frozen=True, slots=True, eq=False)
class _NumberTexts:
    """A column of texts: each text once, and int64[T], each row's place among them."""

    column: Column
    unique: list[str]
    rows: IntArray

    def misfit(self, pattern: re.Pattern[str]) -> int | None:
        """Return the first row whose text isn't of the pattern."""
        place = next((place for place, text in enumerate(self.unique) if not pattern.fullmatch(text)), None)
        return None if place is None else int((self.rows == place).argmax())

    def values(self, style: NumberStyle) -> FloatArray:
        """Return float64[T]; every text is of the style."""
        return np.array([style.value(text) for text in self.unique])[self.rows]


def read_numbers(prices: Sequence[Column], volumes: Sequence[Column], *, instruments: Sequence[Instrument]) -> Numbers:
    """Read the columns of prices and of volumes, those that are texts. instruments: those the file is of.

    Raises:
        GantryError: DATA_QUALITY_FAILED naming the first row without a number, or with one that may be two, or with
            prices in 32nds.

    """
    columns = [*prices, *volumes]
    plain = [_plain(column) for column in columns]
    read = [column for column in plain if column is not None]
    if len(read) == len(columns) and not (_may_be_grouped(columns) and _size(read[: len(prices)], instruments) != 1):
        return Numbers(read, PLAIN)
    return _styled(columns, len(prices), instruments)


def _plain(column: Column) -> Column | None:
    if column.kind is not ColumnKind.TEXT:
        return column
    try:
        values: FloatArray = column.values.astype(np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    return replace(column, kind=ColumnKind.NUMBER, values=values)


def _may_be_grouped(columns: Sequence[Column]) -> bool:
    """Whether every number with a point has three digits behind it and up to three before, as 4.750 has."""
    texts = (text for column in columns if column.kind is ColumnKind.TEXT for text in column.texts())
    return all(_FIXED.fullmatch(text) for text in texts if "." in text)


def _styled(columns: list[Column], prices: int, instruments: Sequence[Instrument]) -> Numbers:
    texts = [
        _NumberTexts(column, *once([text.translate(_SPACES) for text in column.texts()]))
        for column in columns
        if column.kind is ColumnKind.TEXT
    ]
    fitting = [style for style in _STYLES if all(text.misfit(style.pattern) is None for text in texts)]
    of_prices = [text for text in texts if any(text.column is column for column in columns[:prices])]
    _refuse_32nds(of_prices, anywhere=any(map(trades_in_32nds, instruments)), first=not fitting)
    if not fitting:
        raise _no_number(texts)
    found = list(_alike_once(_with(columns, texts, style) for style in fitting))
    found = _likeliest(found, prices, instruments) or found
    if len(found) > 1:
        raise _ambiguous(columns, found)
    return found[0]


def _refuse_32nds(prices: Sequence[_NumberTexts], *, anywhere: bool, first: bool) -> None:
    """Refuse prices in 32nds: those of any row, or where the first row has one. 111'160 looks like thousands."""
    for text in prices:
        for place, unique in enumerate(text.unique if anywhere else text.unique[: int(first)]):
            if in_32nds(unique):
                raise price_in_32nds(text.column, int((text.rows == place).argmax()))


def _with(columns: Sequence[Column], texts: Sequence[_NumberTexts], style: NumberStyle) -> Numbers:
    values = {id(text.column): text.values(style) for text in texts}
    read = [
        replace(column, kind=ColumnKind.NUMBER, values=values[id(column)]) if id(column) in values else column
        for column in columns
    ]
    return Numbers(read, style)


def _alike_once(found: Iterator[Numbers]) -> Iterator[Numbers]:
    """Each reading once: two styles may give the same numbers."""
    kept: list[Numbers] = []
    for one in found:
        if all(_first_unlike(one, other) is not None for other in kept):
            kept.append(one)
            yield one


def _likeliest(found: list[Numbers], prices: int, instruments: Sequence[Instrument]) -> list[Numbers]:
    """Those that give whole volumes and prices on ticks, of the instrument's usual size if the others' aren't."""
    possible = [
        one
        for one in found
        if any(all(not off_grid(column.floats(), of).any() for column in one.columns[:prices]) for of in instruments)
        and all((column.floats() % 1 == 0).all() for column in one.columns[prices:])
    ]
    sizes = [_size(one.columns[:prices], instruments) for one in possible]
    usual = [one for one, size in zip(possible, sizes, strict=True) if size == 1]
    return usual if len(usual) == 1 and sizes.count(-1) == len(possible) - 1 else possible


def _size(prices: Sequence[Column], instruments: Sequence[Instrument]) -> int:
    """Whether prices are of the size that the instruments' have: 1 for yes, -1 for by no means, 0 for neither."""
    typical = float(np.median(np.abs(prices[0].floats())))
    usual = [_USUAL[of.symbol] for of in instruments if of.symbol in _USUAL]
    if not usual or not typical:
        return 0
    off = [max(typical / one, one / typical) for one in usual]
    return 1 if max(off) <= _NEAR else -1 if min(off) >= _FAR else 0


def _first_unlike(one: Numbers, other: Numbers) -> tuple[int, int] | None:
    for number, (left, right) in enumerate(zip(one.columns, other.columns, strict=True)):
        unlike = left.floats() != right.floats()
        if unlike.any():
            return number, int(unlike.argmax())
    return None


def _no_number(texts: Sequence[_NumberTexts]) -> GantryError:
    """Name the first row that is of no style: the last one that a style gets to."""
    misfits = []
    for style in _STYLES:
        rows = [(row, number) for number, text in enumerate(texts) if (row := text.misfit(style.pattern)) is not None]
        misfits.append(min(rows))
    row, number = max(misfits)
    column = texts[number].column
    text = column.texts()[row][:40]
    return bad_data(f"{column.place(row)}: {column.name} is {text!r}, not a number.", fix=EXPORT_AGAIN)


def _ambiguous(columns: Sequence[Column], found: Sequence[Numbers]) -> GantryError:
    number, row = _first_unlike(found[0], found[1]) or (0, 0)
    column = columns[number]
    values = " or ".join(f"{one.columns[number].values[row]:.10g}" for one in found[:2])
    return bad_data(
        f"{column.place(row)}: {column.name} is {column.texts()[row]!r}, which may be {values}.",
        fix="Export numbers without signs between thousands.",
    )
