"""DBN as Databento streams it: metadata with symbol mappings, OHLCV records, in one zstd frame."""

from pathlib import Path
from types import SimpleNamespace
from typing import Final

import numpy as np
import zstandard
from databento_dbn import Metadata, Schema, SType

from tests.standins.faults import Fault
from tests.standins.records import RECORD, RECORD_BYTES, Held, spoiled
from tests.standins.symbology import Selection
from trading.bars.contracts import parse_contract

DATASET: Final = "GLBX.MDP3"
_HEADER_BYTES: Final = 8
_CUT_BYTES: Final = 20  # into a record
_BLOCK_BYTES: Final = 200 * RECORD_BYTES


def encoded(selection: Selection, fault: Fault | None) -> bytes:
    """Return the stream, with a fault of bars if there is one."""
    records = spoiled(selection.records, fault)
    head = _metadata(selection, "ohlcv-1s" if fault is Fault.OTHER_SCHEMA else "ohlcv-1m")
    body = records.tobytes()
    half = len(records) // 2 * RECORD_BYTES
    match fault:
        case Fault.CUT_BETWEEN_RECORDS:
            return _endless(head, body[:half])
        case Fault.CUT_MID_RECORD:
            return _endless(head, body[: half + _CUT_BYTES])
        case Fault.CUT_WHOLE_FRAME:
            body = body[: half + _CUT_BYTES]
    return zstandard.ZstdCompressor(write_checksum=True).compress(head + body)


def read_held(path: Path, symbol: str) -> Held:
    """Return the records of one product in a file of DBN, zstd, of its outright contracts.

    Raises:
        ValueError: the file has none, or no one-minute bars.

    """
    content = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    end = _HEADER_BYTES + int.from_bytes(content[4:_HEADER_BYTES], "little")
    metadata = Metadata.decode(content[:end])
    if str(metadata.schema) != "ohlcv-1m" or metadata.ts_out:
        raise ValueError(f"{path.name} holds no plain one-minute bars.")
    contracts = {
        int(interval["symbol"]): raw
        for raw, intervals in metadata.mappings.items()
        if (parsed := parse_contract(raw)) and parsed.root == symbol
        for interval in intervals
    }
    records = np.frombuffer(content[end:], RECORD)
    mine = records[np.isin(records["instrument"], list(contracts))]
    if not len(mine):
        raise ValueError(f"{path.name} holds no contract of {symbol}.")
    return Held(mine, contracts)


def _metadata(selection: Selection, schema: str) -> bytes:
    mappings = [
        SimpleNamespace(
            raw_symbol=symbol,
            intervals=[
                SimpleNamespace(start_date=one.first, end_date=one.end, symbol=str(one.ident))
                for one in selection.intervals
                if one.symbol == symbol
            ],
        )
        for symbol in dict.fromkeys(one.symbol for one in selection.intervals)
    ]
    metadata = Metadata(
        dataset=DATASET,
        start=selection.start_ns,
        end=selection.end_ns,
        stype_in=SType.from_str(selection.stype_in),
        stype_out=SType.from_str("instrument_id"),
        schema=Schema.from_str(schema),
        symbols=list(selection.symbols),
        partial=list(selection.partial),
        not_found=list(selection.not_found),
        mappings=mappings,
        ts_out=False,
    )
    return bytes(metadata)


def _endless(head: bytes, body: bytes) -> bytes:
    """Compress to the last byte, without the frame's end: what a stream is that was cut after these bytes.

    Blocks are small: of a block that stands alone, the vendor's client reads no more than its first bytes.
    """
    stream = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    parts = [head, *(body[at : at + _BLOCK_BYTES] for at in range(0, len(body), _BLOCK_BYTES))]
    return b"".join(stream.compress(part) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for part in parts)
