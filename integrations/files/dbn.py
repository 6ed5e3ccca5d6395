"""Databento's DBN files, versions 1 to 3: OHLCV records of one minute, whole or refused.

The layout of an OHLCV record is the same in all three versions; see Databento's DBN specification.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
from databento_dbn import DBNError, Metadata
from numpy.typing import NDArray

from core.errors import bad_data, invalid
from integrations.files.assemble import RawBars, assemble
from integrations.files.dbn_symbols import Naming, naming_of
from integrations.files.payload import Payload, cut
from integrations.files.types import FileBars, Stamp
from trading.bars.schema import NS_PER_SECOND, Bars, Timeframe

_HEADER_BYTES: Final = 8
_OHLCV_1M_RTYPE: Final = 33
_PRICES: Final = ("open", "high", "low", "close")
_NO_PRICE: Final = 2**63 - 1
_PRICE_UNITS: Final = 1_000_000_000
_RECORD: Final = [
    ("length", "u1"),  # in words of four bytes
    ("rtype", "u1"),
    ("publisher", "<u2"),
    ("instrument", "<u4"),
    ("ts", "<u8"),
    ("open", "<i8"),
    ("high", "<i8"),
    ("low", "<i8"),
    ("close", "<i8"),
    ("volume", "<u8"),
]


class _Decoded(NamedTuple):
    """version: of DBN, as in the file. metadata: what the file says of itself. body: its records' bytes."""

    version: int
    metadata: Metadata
    body: bytes


def read_dbn(payload: Payload, *, symbol: str | None, tz: str | None, stamp: Stamp) -> list[FileBars]:
    """Return the bars of each symbol in a DBN file; see `reader.read_bars_file`."""
    if stamp is Stamp.CLOSE or (tz is not None and tz != "UTC"):
        raise invalid(
            f"{payload.name} is DBN, which is stamped in UTC at the bar's open.",
            fix="Omit --stamp and --tz.",
            field="stamp" if stamp is Stamp.CLOSE else "tz",
        )
    decoded = _decoded(payload)
    records = _records(payload.name, decoded)
    naming = naming_of(
        payload.name, decoded.metadata, records["instrument"], records["ts"].astype(np.int64), symbol=symbol
    )
    found = []
    for one in naming.symbols:
        rows = np.flatnonzero(naming.symbol_of_row == naming.symbols.index(one))
        read = assemble(payload, _rows(one, records, rows, naming), _details(decoded, naming))
        found.append(replace(read, left_out=naming.left_out))
    return found


def _decoded(payload: Payload) -> _Decoded:
    content, name = payload.content, payload.name
    length = int.from_bytes(content[4:_HEADER_BYTES], "little")
    end = _HEADER_BYTES + length
    if len(content) < _HEADER_BYTES or len(content) < end:
        raise cut(name, f"its metadata should be {length} bytes long")
    if content[3] not in (1, 2, 3):
        raise invalid(f"{name} is DBN version {content[3]}.", fix="Give DBN of version 1, 2 or 3.")
    try:
        return _Decoded(content[3], Metadata.decode(content[:end]), content[end:])
    except (DBNError, ValueError, OverflowError) as error:
        raise bad_data(f"{name} has damaged metadata: {error}.", fix="Download the file again.") from None


def _records(name: str, decoded: _Decoded) -> NDArray[np.void]:
    """Return the records as a structured array.

    Every byte must belong to a whole one-minute record: a cut stream, another schema or foreign record is refused.
    """
    metadata, body = decoded.metadata, decoded.body
    schema = str(metadata.schema) if metadata.schema is not None else "mixed"
    if schema != "ohlcv-1m":
        raise invalid(
            f"{name} holds records of schema {schema}, not ohlcv-1m.",
            fix="Download schema ohlcv-1m: longer bars are made from one-minute ones.",
            facts={"schema": schema},
        )
    layout = np.dtype([*_RECORD, ("ts_out", "<u8")] if metadata.ts_out else _RECORD)
    if not body:
        raise bad_data(f"{name} holds no records.", fix="Download the file again, for a range that has bars.")
    if len(body) % layout.itemsize:
        raise cut(
            name, f"its records end {len(body) % layout.itemsize} bytes into record {len(body) // layout.itemsize + 1}"
        )
    records = np.frombuffer(body, layout)
    prices = [records[column] for column in _PRICES]
    _refuse(name, records["length"] * 4 != layout.itemsize, "has another length than a bar's")
    _refuse(name, records["rtype"] != _OHLCV_1M_RTYPE, "is not a one-minute bar")
    _refuse(name, np.any([price == _NO_PRICE for price in prices], axis=0), "has no price")
    _refuse(name, (records["ts"] >= 2**63) | (records["volume"] >= 2**53), "has an impossible time or volume")
    return records


def _refuse(name: str, wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        raise bad_data(
            f"{name}, record {int(wrong.argmax()) + 1} {what} ({int(wrong.sum())} such records).",
            fix="Download the file again, as schema ohlcv-1m.",
        )


def _rows(symbol: str, records: NDArray[np.void], rows: NDArray[np.int64], naming: Naming) -> RawBars:
    mine = records[rows]
    used = list(dict.fromkeys(naming.contract_of_row[rows].tolist()))  # in order of appearance
    position = np.zeros(len(naming.contracts), np.int32)
    position[used] = np.arange(len(used))
    prices = {column: mine[column] / _PRICE_UNITS for column in _PRICES}
    bars = Bars(
        symbol=symbol,
        timeframe=Timeframe.M1,
        ts=mine["ts"].astype(np.int64),
        volume=mine["volume"].astype(np.int64),
        contract=position[naming.contract_of_row[rows]],
        contracts=tuple(naming.contracts[number] for number in used),
        **prices,
    )
    return RawBars(bars, rows + 1, "record")


def _details(decoded: _Decoded, naming: Naming) -> dict[str, Any]:
    metadata = decoded.metadata
    return {
        "format": "dbn",
        "version": decoded.version,
        "schema": "ohlcv-1m",
        "dataset": metadata.dataset,
        "stype_in": str(metadata.stype_in),
        "symbols": list(metadata.symbols),
        "records_left_out": naming.rows_left_out,
        "tz": "UTC",
        "stamp": Stamp.OPEN.value,
        **_stated_end(metadata),
    }


def _stated_end(metadata: Metadata) -> dict[str, str]:
    """Return where the request for the bars ended, where the file says so."""
    end = metadata.end
    return {"end": datetime.fromtimestamp(end // NS_PER_SECOND, UTC).isoformat()} if end else {}
