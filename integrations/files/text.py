"""CSV files of bars: comma, semicolon, tab or bar between values, with a header line or in the usual order."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.errors import bad_data, invalid
from core.words import counted
from integrations.files.columns import Column, ColumnKind
from integrations.files.footers import footer_of
from integrations.files.headers import PRICES, named, role_of, without_header
from integrations.files.payload import Payload, cut
from integrations.files.table import Table, read_table, refuse_twins
from integrations.files.types import FileBars, LeftOut, ReadOptions

_DELIMITERS: Final = (";", "\t", "|")  # a comma may be a decimal sign between them
_STATED_DELIMITER: Final = re.compile(
    r'[\r\n]*"?sep=(?P<sign>[,;|\t]|\\t)"?[ ,;|\t]*(?:[\r\n]|$)', re.IGNORECASE
)  # for Excel
_FEWEST_DELIMITERS: Final = 4
_SHOWN_FOOTER: Final = 80  # characters
_EXPORT_AGAIN: Final = "Download or export the file again, whole."


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """header: names, lower case. named: whether the file has them. rows: values by row. lines: each row's line.

    footer: the text behind the last row, empty for none.
    """

    header: list[str]
    named: bool
    rows: list[list[str]]
    lines: list[int]
    footer: str


def read_text(payload: Payload, options: ReadOptions) -> list[FileBars]:
    """Return the bars of each symbol in a CSV file; see `reader.read_bars_file`."""
    text = _decoded(payload)
    stated = _STATED_DELIMITER.match(text)
    delimiter = stated["sign"].replace("\\t", "\t") if stated else _delimiter(text)
    cells = _cells(payload, _filled(payload, text, delimiter, skipped=1 if stated else 0))
    ended = text.endswith(("\n", "\r")) or cells.footer != ""
    if not ended and _is_cut([row[-1] for row in cells.rows]):
        raise cut(payload.name, f"its last line ends with {cells.rows[-1][-1]!r}")
    numbers = np.array(cells.lines, np.int64)
    columns = _columns(cells, lambda row: f"{payload.name}, line {numbers[row]}")
    details = {"format": "csv", "delimiter": delimiter, "final_newline": ended}
    if not cells.named:
        details["header"] = "none"
    footer = (LeftOut("footer text", 1, (cells.footer[:_SHOWN_FOOTER],)),) if cells.footer else ()
    return read_table(Table(payload, columns, numbers, "line", details, cells.named, footer), options)


def _is_cut(values: Sequence[str]) -> bool:
    """Whether the last value has fewer decimals than all the others, which have some; other losses can't be seen."""
    decimals = [max(value.rfind("."), value.rfind(",")) for value in values]
    lengths = [len(value) - at if at >= 0 else 0 for value, at in zip(values, decimals, strict=True)]
    return len(lengths) > 1 and lengths[-1] < min(lengths[:-1])


def _decoded(payload: Payload) -> str:
    try:
        text = payload.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = payload.content.count(b"\n", 0, error.start) + 1
        raise bad_data(
            f"{payload.name}, line {line}: not text in UTF-8, and neither DBN nor Parquet.",
            fix="Give bars as DBN, Parquet or CSV in UTF-8.",
        ) from None
    if not text.strip():
        raise bad_data(f"{payload.name} holds nothing.", fix=_EXPORT_AGAIN)
    return text


def _delimiter(text: str) -> str:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return next((sign for sign in _DELIMITERS if first.count(sign) >= _FEWEST_DELIMITERS), ",")


def _cells(payload: Payload, filled: tuple[list[list[str]], list[int]]) -> _Cells:
    rows, lines = filled
    header, has_names = _header(payload, rows[0])
    if has_names:
        rows, lines = rows[1:], lines[1:]
    if footer := footer_of(rows):
        rows, lines = rows[:-1], lines[:-1]
    width = _width(header, rows[0]) if rows else 0
    wrong = next((number for number, row in enumerate(rows) if len(row) != width), None)
    if wrong is not None:
        what = "the header names" if has_names else "the first line has"
        raise bad_data(
            f"{payload.name}, line {lines[wrong]}: {counted(len(rows[wrong]), 'value')}, {what} {len(header)}.",
            fix=_EXPORT_AGAIN,
        )
    _refuse_beyond(payload, len(header), rows, lines)
    return _Cells(header, has_names, rows, lines, footer)


def _filled(payload: Payload, text: str, delimiter: str, *, skipped: int) -> tuple[list[list[str]], list[int]]:
    """Return the cells of each line that isn't empty, and its number; the first ones are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise bad_data(f"{payload.name}, line {reader.line_num}: {error}.", fix=_EXPORT_AGAIN) from None
    if len(rows) <= skipped:
        raise bad_data(f"{payload.name} holds no bars.", fix=_EXPORT_AGAIN)
    return rows[skipped:], lines[skipped:]


def _width(header: Sequence[str], row: Sequence[str]) -> int:
    """How many values a row has: some programs end each with one more sign between values."""
    return len(row) if len(row) == len(header) + 1 and not row[-1].strip() else len(header)


def _refuse_beyond(payload: Payload, width: int, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> None:
    """Refuse a row with a value behind the last named column, where the others have none."""
    beyond = next((number for number, row in enumerate(rows) if len(row) > width and row[-1].strip()), None)
    if beyond is not None:
        raise bad_data(
            f"{payload.name}, line {lines[beyond]}: {counted(width + 1, 'value')}, the header names {width}.",
            fix=_EXPORT_AGAIN,
        )


def _header(payload: Payload, first: Sequence[str]) -> tuple[list[str], bool]:
    """Return the columns' names, and whether the first row is them."""
    if any(role_of(name) for name in first):
        header = named(first)
        refuse_twins(payload, header)
        return header, True
    if names := without_header(first):
        return names, False
    raise invalid(
        f"{payload.name} doesn't begin with a header line of known columns: {','.join(first).lower()[:80]!r}.",
        fix=f"Begin with a line like ts,{','.join(PRICES)},volume.",
    )


def _columns(cells: _Cells, place: Callable[[int], str]) -> list[Column]:
    found = []
    for position, name in enumerate(cells.header):
        if role_of(name):
            values = np.array([row[position] for row in cells.rows], dtype=object)
            found.append(Column(name, ColumnKind.TEXT, values, place))
    return found
