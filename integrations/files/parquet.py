"""Parquet files of bars."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import GantryError, bad_data, invalid
from integrations.files.columns import Column, ColumnKind
from integrations.files.headers import role_of
from integrations.files.payload import Payload, cut
from integrations.files.table import Table, read_table, refuse_twins
from integrations.files.types import FileBars, ReadOptions

_MAGIC: Final = b"PAR1"
_SMALLEST_BYTES: Final = 12


def read_parquet(payload: Payload, options: ReadOptions) -> list[FileBars]:
    """Return the bars of each symbol in a Parquet file; see `reader.read_bars_file`."""
    if len(payload.content) < _SMALLEST_BYTES or not payload.content.endswith(_MAGIC):
        raise cut(payload.name, "it lacks Parquet's last bytes")
    try:
        file = pq.ParquetFile(pa.BufferReader(payload.content), page_checksum_verification=True)
        lower = [name.strip().lower() for name in file.schema_arrow.names]
        refuse_twins(payload, lower)
        names = dict(zip(lower, file.schema_arrow.names, strict=True))
        wanted = [name for name in names if role_of(name)]
        frame = file.read([names[name] for name in wanted])
        frame.validate(full=True)
        count = frame.num_rows
        columns = [_column(payload, name, frame.column(names[name])) for name in wanted]
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise bad_data(
            f"{payload.name} is damaged, or Parquet of an unknown kind: {reason}.", fix="Download or export it again."
        ) from None
    table = Table(payload, columns, np.arange(1, count + 1), "row", {"format": "parquet"})
    return read_table(table, options)


def _column(payload: Payload, name: str, values: pa.ChunkedArray) -> Column:
    def place(row: int) -> str:
        return f"{payload.name}, row {row + 1}"

    if values.null_count:
        row = int(np.asarray(values.is_null()).argmax())
        raise bad_data(f"{place(row)}: {name} is empty.", fix="Export the bars again from their source.")
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if pa.types.is_timestamp(kind):
        zoned = kind.tz is not None
        local = values.cast(pa.timestamp("ns", kind.tz)).cast(pa.int64())
        return Column(name, ColumnKind.UTC_TIME if zoned else ColumnKind.LOCAL_TIME, local.to_numpy(), place)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return Column(name, ColumnKind.TEXT, values.to_numpy(), place)
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        return Column(name, ColumnKind.TEXT, values.cast(pa.string()).to_numpy(), place)
    if pa.types.is_integer(kind):
        return Column(name, ColumnKind.NUMBER, values.cast(pa.int64()).to_numpy(), place)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Column(name, ColumnKind.NUMBER, values.cast(pa.float64()).to_numpy(), place)
    raise _unsupported(payload, name, kind)


def _unsupported(payload: Payload, name: str, kind: pa.DataType) -> GantryError:
    return invalid(
        f"Column {name} of {payload.name} is of type {str(kind)[:40]}.",
        fix="Store times as timestamps, prices as doubles, volume as integers, names as texts.",
    )
