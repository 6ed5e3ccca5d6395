"""Hashes of bars: what was traded, and which contracts it was traded in, apart.

Apart, so that a file without contract names hashes like one with them, and the same data from two formats
are recognised as the same.
"""

import hashlib

import numpy as np

from trading.bars.schema import Bars
from trading.bars.ticks import to_ticks
from trading.instruments import Instrument


def content_hash(bars: Bars, instrument: Instrument) -> str:
    """Return the sha-256 (64 hex digits) of ts, open, high, low, close in ticks and volume, as int64 little-endian.

    Independent of symbol names, contracts and file formats.
    """
    digest = hashlib.sha256()
    digest.update(bars.ts.astype("<i8").tobytes())
    for prices in bars.ohlc():
        digest.update(to_ticks(prices, instrument).astype("<i8").tobytes())
    digest.update(bars.volume.astype("<i8").tobytes())
    return digest.hexdigest()


def contracts_hash(bars: Bars) -> str:
    """Return the sha-256 (64 hex digits) of the runs of equal contract: lengths and names, in order."""
    digest = hashlib.sha256()
    starts = np.flatnonzero(np.diff(bars.contract, prepend=np.int32(-1)))
    lengths = np.diff(np.append(starts, len(bars)))
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        digest.update(f"{length}:{bars.contracts[bars.contract[start]]}\n".encode())
    return digest.hexdigest()
