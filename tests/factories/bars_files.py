"""Files of bars made for the tests of readers: CSV, Parquet, and DBN as Databento's own encoder writes it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from databento_dbn import Metadata, OHLCVMsg, Schema, SType
from databento_dbn.metadata import MappingInterval

from trading.bars.schema import Bars
from trading.sessions import MINUTE_NS

_RTYPES: dict[Any, int] = {Schema.OHLCV_1S: 32, Schema.OHLCV_1M: 33, Schema.OHLCV_1H: 34}


def csv_of(
    bars: Bars, *, header: str = "ts,open,high,low,close,volume", zone: str = "Z", shift_minutes: int = 0
) -> bytes:
    """Return the bars as CSV, stamped in UTC, shifted by whole minutes."""
    times = (bars.ts + shift_minutes * MINUTE_NS).astype("datetime64[ns]").astype("datetime64[s]").astype(str)
    columns = zip(times, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    lines = [f"{str(ts).replace('T', ' ')}{zone},{o},{h},{low},{c},{v}" for ts, o, h, low, c, v in columns]
    return "\n".join([header, *lines, ""]).encode()


def parquet_of(bars: Bars, *, drop: tuple[str, ...] = (), **columns: Any) -> bytes:
    """Return the bars as Parquet, with contracts where they have names; `columns` replaces or adds some."""
    table: dict[str, Any] = {
        "ts": pa.array(bars.ts, pa.timestamp("ns", "UTC")),
        "open": bars.open,
        "high": bars.high,
        "low": bars.low,
        "close": bars.close,
        "volume": bars.volume,
        "contract": pa.array([bars.contracts[number] for number in bars.contract.tolist()]),
    }
    table.update(columns)
    sink = io.BytesIO()
    pq.write_table(pa.table({name: values for name, values in table.items() if name not in drop}), sink)
    return sink.getvalue()


def dbn_of(
    bars: Bars,
    mappings: dict[str, list[tuple[str, str, int]]],
    instruments: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None,
    *,
    schema: Any = Schema.OHLCV_1M,
    stype_in: Any = SType.RAW_SYMBOL,
    version: int = 3,
    end: int | None = None,
) -> bytes:
    """Return the bars as unpacked DBN.

    mappings: (start, end, instrument id) by raw symbol. end: of the request, ns since 1970, as the metadata state it.
    """
    instrument_id: Any = SType.INSTRUMENT_ID
    metadata = Metadata(
        dataset="GLBX.MDP3",
        start=int(bars.ts[0]) if len(bars) else 0,
        stype_in=stype_in,
        stype_out=instrument_id,
        schema=schema,
        symbols=list(mappings),
        mappings=[_mapping(raw, intervals) for raw, intervals in mappings.items()],
        version=version,
        end=end,
    )
    default = next(iter(mappings.values()))[0][2] if mappings else 1
    ids = np.full(len(bars), default) if instruments is None else instruments
    return metadata.encode() + b"".join(
        _record(bars, row, int(ids[row]), _RTYPES.get(schema, 35)) for row in range(len(bars))
    )


def packed(content: bytes) -> bytes:
    """Return the bytes as one zstd frame with a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


@dataclass
class _Interval:
    start_date: date
    end_date: date
    symbol: str


@dataclass
class _Mapping:
    raw_symbol: str
    intervals: Sequence[MappingInterval]


def _mapping(raw: str, intervals: list[tuple[str, str, int]]) -> _Mapping:
    return _Mapping(
        raw,
        [_Interval(date.fromisoformat(start), date.fromisoformat(end), str(ident)) for start, end, ident in intervals],
    )


def _record(bars: Bars, row: int, ident: int, rtype: int) -> bytes:
    first, high, low, close = (round(float(column[row]) * 1e9) for column in bars.ohlc())
    return bytes(OHLCVMsg(rtype, 1, ident, int(bars.ts[row]), first, high, low, close, int(bars.volume[row])))
