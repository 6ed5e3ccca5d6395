"""CSV files of bars, with a header line, comma, semicolon or tab between values."""

import csv
import io
from collections.abc import Callable
from typing import Final

import numpy as np

from core.errors import bad_data, invalid
from integrations.files.columns import Column, ColumnKind
from integrations.files.payload import Payload
from integrations.files.table import PRICE_COLUMNS, WANTED_COLUMNS, Table, read_table, refuse_twins
from integrations.files.types import FileBars, Stamp

_DELIMITERS: Final = (",", ";", "\t")
_EXPORT_AGAIN: Final = "Download or export the file again, whole."


def read_text(payload: Payload, *, symbol: str | None, tz: str | None, stamp: Stamp) -> list[FileBars]:
    """Return the bars of each symbol in a CSV file; see `reader.read_bars_file`."""
    text = _decoded(payload)
    header_line = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    lines: list[int] = []
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader)]
        _check_header(payload, header)
        for row in reader:
            if len(row) == len(header):
                rows.append(row)
                lines.append(reader.line_num)
            elif row:
                raise bad_data(
                    f"{payload.name}, line {reader.line_num}: {len(row)} values, the header names {len(header)}.",
                    fix=_EXPORT_AGAIN,
                )
    except csv.Error as error:
        raise bad_data(f"{payload.name}, line {reader.line_num}: {error}.", fix=_EXPORT_AGAIN) from None
    numbers = np.array(lines, np.int64)
    columns = _columns(header, rows, lambda row: f"{payload.name}, line {numbers[row]}")
    details = {"format": "csv", "delimiter": delimiter, "final_newline": text.endswith("\n")}
    table = Table(payload, columns, numbers, "line", details)
    return read_table(table, symbol=symbol, tz=tz, stamp=stamp)


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


def _check_header(payload: Payload, header: list[str]) -> None:
    if not WANTED_COLUMNS.intersection(header):
        raise invalid(
            f"{payload.name} doesn't begin with a header line of known columns: {','.join(header)[:80]!r}.",
            fix=f"Begin with a line like ts,{','.join(PRICE_COLUMNS)},volume.",
        )
    refuse_twins(payload, header)


def _columns(header: list[str], rows: list[list[str]], place: Callable[[int], str]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for position, name in enumerate(header):
        if name in WANTED_COLUMNS:
            values = np.array([row[position] for row in rows], dtype=object)
            found[name] = Column(name, ColumnKind.TEXT, values, place)
    return found
