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
from trading.bars.months import concatenate
from trading.bars.schema import Bars, Timeframe

_METADATA: Final = b"gantry"
_COLUMNS: Final = ["ts", "open", "high", "low", "close", "volume", "contract"]
_OF_FEW_VALUES: Final = ["open", "high", "low", "close", "contract"]  # a month's prices repeat: they lie on ticks
# Positions among a month's prices are packed to some twelve bits: zstd takes a fifth off them, and 2 ms a year to undo.
_PACKED: Final = {"open": "none", "high": "none", "low": "none", "close": "none"}
_COMPRESSION: Final = {**dict.fromkeys(("ts", "volume", "contract"), "zstd"), **_PACKED}
_OF_SMALL_STEPS: Final = {"ts": "DELTA_BINARY_PACKED", "volume": "DELTA_BINARY_PACKED"}


@dataclass(frozen=True, slots=True, eq=False)
class StoredMonth:
    """A file as it was read. contracts: names in order; codes: int32[T], positions in them."""

    symbol: str
    timeframe: Timeframe
    table: pa.Table
    contracts: tuple[str, ...]
    codes: NDArray[np.int32]


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


def read_month(content: bytes) -> StoredMonth:
    """Read one file's content.

    Raises:
        OSError, pa.ArrowException, KeyError, ValueError: the file is damaged, or isn't one of ours.

    """
    file = pq.ParquetFile(pa.BufferReader(content))
    facts = json.loads(file.schema_arrow.metadata[_METADATA])
    contracts = tuple(facts["contracts"])
    wanted = _COLUMNS if len(contracts) > 1 else _COLUMNS[:-1]  # one name for all rows needn't be read row by row
    table = file.read(wanted, use_threads=False)
    codes = np.zeros(len(table), np.int32)
    if len(contracts) > 1:
        codes = _codes(table["contract"], contracts)
        table = table.drop_columns(["contract"])
    return StoredMonth(facts["symbol"], Timeframe(facts["timeframe"]), table, contracts, codes)


def one_series(months: Sequence[StoredMonth]) -> Bars:
    """Return the bars of these files, in order of time, as one series; at least one file, all of one symbol."""
    names = in_order([name for month in months for name in month.contracts])
    places = [np.array([names.index(name) for name in month.contracts], np.int32) for month in months]
    if not _follow_each_other(months, places):
        return concatenate([_bars(month.table, month, month.codes, month.contracts) for month in months])
    codes = [place[month.codes] for place, month in zip(places, months, strict=True)]
    table = pa.concat_tables([month.table.replace_schema_metadata(None) for month in months])
    return _bars(table, months[0], np.concatenate(codes), names)


def _follow_each_other(months: Sequence[StoredMonth], places: Sequence[NDArray[np.int32]]) -> bool:
    """Whether putting one after the other keeps (ts, contract) in order, as it is within each."""
    edges = [edge for month in months for edge in (month.table["ts"][0].value, month.table["ts"][-1].value)]
    in_time = all(earlier < later for earlier, later in zip(edges[1:-1:2], edges[2::2], strict=True))
    return in_time and all(bool((np.diff(place) > 0).all()) for place in places)


def _bars(table: pa.Table, of: StoredMonth, codes: NDArray[np.int32], names: tuple[str, ...]) -> Bars:
    columns = {
        name: column.chunk(0) for name, column in zip(table.column_names, table.combine_chunks().columns, strict=True)
    }
    return Bars(
        of.symbol,
        of.timeframe,
        columns["ts"].view(pa.int64()).to_numpy(),
        columns["open"].to_numpy(),
        columns["high"].to_numpy(),
        columns["low"].to_numpy(),
        columns["close"].to_numpy(),
        columns["volume"].to_numpy(),
        codes,
        names,
    )


def _codes(column: pa.ChunkedArray, contracts: tuple[str, ...]) -> NDArray[np.int32]:
    parts = []
    for chunk in column.chunks:
        place = np.array([contracts.index(name) for name in chunk.dictionary.to_pylist()], np.int32)
        parts.append(place[chunk.indices.to_numpy()])
    codes: NDArray[np.int32] = np.concatenate(parts)
    return codes
