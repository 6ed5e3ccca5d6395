"""Bars as Parquet: how they are written, and how the files of many months become one series.

Columns: ts (UTC timestamp, ns), open, high, low, close (float64), volume (int64), contract (dictionary of names). The
symbol, the timeframe and the contracts' names in order stand in the file's own metadata.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from trading.bars.contracts import in_order
from trading.bars.schema import Bars, Timeframe

_METADATA: Final = b"gantry"
_COLUMNS: Final = ["ts", "open", "high", "low", "close", "volume", "contract"]
_OF_FEW_VALUES: Final = ["open", "high", "low", "close", "contract"]  # a month's prices repeat: they lie on ticks
# Positions among a month's prices are packed to some twelve bits: zstd takes a fifth off them, and 2 ms a year to undo.
_PACKED: Final = {"open": "none", "high": "none", "low": "none", "close": "none"}
# Times a minute apart pack to nothing, lz4 undoes the rest twice as fast as zstd; packed volume gains by neither.
_COMPRESSION: Final = {"ts": "lz4", "volume": "none", "contract": "zstd", **_PACKED}
_OF_SMALL_STEPS: Final = {"ts": "DELTA_BINARY_PACKED", "volume": "DELTA_BINARY_PACKED"}


@dataclass(frozen=True, slots=True, eq=False)
class StoredMonth:
    """A file that was opened, not yet decoded: its rows, and its contracts' names in order."""

    symbol: str
    timeframe: Timeframe
    file: pq.ParquetFile
    rows: int
    contracts: tuple[str, ...]


def write_bars(bars: Bars, file: Any) -> None:
    """Write bars into an open file. So encoded, a year is 3 MB (5 MB by zstd alone) and read in a third of the time."""
    names = pa.DictionaryArray.from_arrays(pa.array(bars.contract, pa.int32()), pa.array(bars.contracts, pa.string()))
    facts = {"symbol": bars.symbol, "timeframe": bars.timeframe.value, "contracts": list(bars.contracts)}
    columns: dict[str, Any] = {
        "ts": pa.array(bars.ts.astype("datetime64[ns]"), pa.timestamp("ns", tz="UTC")),
        "open": bars.open,
        "high": bars.high,
        "low": bars.low,
        "close": bars.close,
        "volume": bars.volume,
        "contract": names,
    }
    table = pa.table(columns).replace_schema_metadata({_METADATA: json.dumps(facts).encode()})
    pq.write_table(
        table, file, compression=_COMPRESSION, use_dictionary=_OF_FEW_VALUES, column_encoding=_OF_SMALL_STEPS
    )


def open_month(content: bytes) -> StoredMonth:
    """Open one file's content.

    Raises:
        OSError, pa.ArrowException, KeyError, ValueError: the file is damaged, or isn't one of ours.

    """
    file = pq.ParquetFile(pa.BufferReader(content))
    facts = json.loads(file.schema_arrow.metadata[_METADATA])
    return StoredMonth(
        facts["symbol"], Timeframe(facts["timeframe"]), file, file.metadata.num_rows, tuple(facts["contracts"])
    )


def room_for(months: Sequence[StoredMonth]) -> Bars:
    """Return bars of as many rows as these files have, not yet filled; at least one file, all of one symbol.

    Files are decoded straight into their place in it: decoding them apart and joining them would touch twice the
    memory, and the kernel's handing out of pages costs as much as the decoding.
    """
    size = sum(month.rows for month in months)
    return Bars(
        months[0].symbol,
        months[0].timeframe,
        _room(size, np.int64),
        _room(size, np.float64),
        _room(size, np.float64),
        _room(size, np.float64),
        _room(size, np.float64),
        _room(size, np.int64),
        _room(size, np.int32),
        in_order([name for month in months for name in month.contracts]),
    )


def _room(size: int, kind: type[Any]) -> NDArray[Any]:
    """Return an unfilled array in Arrow's memory, which keeps its pages for the next series; numpy's is handed back."""
    buffer = pa.allocate_buffer(size * np.dtype(kind).itemsize)
    return np.frombuffer(buffer, dtype=kind) if size else np.empty(0, kind)


def decode(month: StoredMonth, into: Bars) -> None:
    """Fill `into`, of the month's length (a part of `room_for`, say), with its bars.

    Raises:
        OSError, pa.ArrowException, KeyError, ValueError: the file is damaged.

    """
    wanted = _COLUMNS if len(month.contracts) > 1 else _COLUMNS[:-1]  # one name for all rows needn't be read by row
    table = month.file.read(wanted, use_threads=False)
    into.ts[:] = _values(table["ts"].cast(pa.int64()))
    for name in ("open", "high", "low", "close", "volume"):
        getattr(into, name)[:] = _values(table[name])
    place = np.array([into.contracts.index(name) for name in month.contracts], np.int32)
    into.contract[:] = place[_codes(table["contract"], month.contracts)] if len(month.contracts) > 1 else place[0]


def _values(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return one array, without a copy where it is one chunk, as a month is."""
    values: NDArray[Any] = column.chunk(0).to_numpy() if column.num_chunks == 1 else column.to_numpy()
    return values


def _codes(column: pa.ChunkedArray, contracts: tuple[str, ...]) -> NDArray[np.int32]:
    parts = []
    for chunk in column.chunks:
        place = np.array([contracts.index(name) for name in chunk.dictionary.to_pylist()], np.int32)
        parts.append(place[chunk.indices.to_numpy()])
    codes: NDArray[np.int32] = np.concatenate(parts)
    return codes
