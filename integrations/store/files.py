"""Bars as Parquet files in a folder or bucket: written whole or not at all, named by content, never deleted.

Columns: ts (UTC timestamp, ns), open, high, low, close (float64), volume (int64), contract (dictionary of names).
The names in order and the symbol stand in the file's own metadata.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final
from uuid import uuid4

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

from core.errors import ErrorCode, GantryError, Kind, data_unavailable
from trading.bars.hashing import contracts_hash
from trading.bars.months import concatenate
from trading.bars.schema import Bars, Timeframe

_METADATA: Final = b"gantry"
_COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume", "contract")


class BarsStore:
    """Bars under a root: a local folder or anything fsspec knows, such as s3://bucket/prefix."""

    def __init__(self, root: str) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(root)

    def write(self, bars: Bars, *, provider: str, month: str, content_hash: str) -> str:
        """Write one symbol-month and return its path below the root; the same content again is the same file.

        The file appears under its name only when it is complete; one of that name that was damaged is made whole.

        Raises:
            GantryError: ENVIRONMENT_INVALID for a folder that is full or can't be written.

        """
        relative = f"{provider}/{bars.symbol}/{month}.{content_hash[:16]}.{contracts_hash(bars)[:8]}.parquet"
        with self._made_whole(relative) as file:
            pq.write_table(_table(bars), file, compression="zstd", use_dictionary=["contract"])
        return relative

    def put_aside(self, name: str, payload: bytes) -> str:
        """Keep bytes that may not be used under quarantine/, for inspection; return the path below the root.

        Raises:
            GantryError: ENVIRONMENT_INVALID for a folder that is full or can't be written.

        """
        relative = f"quarantine/{name}"
        with self._made_whole(relative) as file:
            file.write(payload)
        return relative

    def read(self, paths: Sequence[str]) -> Bars:
        """Return the bars of these files as one, sorted by (ts, contract); at least one path.

        Raises:
            GantryError: DATA_UNAVAILABLE, naming a file that is gone or can't be read.

        """
        parts = [self._read_one(path) for path in paths]
        return parts[0] if len(parts) == 1 else concatenate(parts)

    def _read_one(self, relative: str) -> Bars:
        try:
            with self._filesystem.open(self._absolute(relative), "rb") as file:
                table = pq.read_table(file, columns=list(_COLUMNS))
            return _bars(table)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise data_unavailable(
                f"The bars file {relative} can't be read: {str(error).splitlines()[0] if str(error) else error!r}",
                fix="Import that month's file again, it is then made whole; `gantry bars check` lists what is damaged.",
                facts={"path": relative},
            ) from error

    @contextmanager
    def _made_whole(self, relative: str) -> Iterator[Any]:
        """Open a temporary file that takes this name at the end of the block, and is gone if the block fails."""
        target = self._absolute(relative)
        temporary = f"{target}.{uuid4().hex}.part"
        try:
            self._filesystem.makedirs(target.rpartition("/")[0], exist_ok=True)
            with self._filesystem.open(temporary, "wb") as file:
                yield file
                if isinstance(self._filesystem, LocalFileSystem):
                    file.flush()
                    os.fsync(file.fileno())  # the catalogue's row, which comes later, is durable too
            self._filesystem.mv(temporary, target)
        except OSError as error:
            raise GantryError(
                ErrorCode.ENVIRONMENT_INVALID,
                f"The bars file {relative} can't be written: {error.strerror or error}.",
                fix="Make room in the bars folder, and let this user write there.",
                kind=Kind.UNAVAILABLE,
            ) from error
        finally:
            self._forget(temporary)

    def _forget(self, temporary: str) -> None:
        with suppress(OSError):  # a leftover hurts nobody, and the failure before it is the one to tell of
            if self._filesystem.exists(temporary):
                self._filesystem.rm(temporary)

    def _absolute(self, relative: str) -> str:
        return f"{self._root}/{relative}"


def _table(bars: Bars) -> pa.Table:
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
    return pa.table(columns).replace_schema_metadata({_METADATA: json.dumps(facts).encode()})


def _bars(table: pa.Table) -> Bars:
    facts = json.loads(table.schema.metadata[_METADATA])
    table = table.combine_chunks()
    contracts = tuple(facts["contracts"])
    return Bars(
        facts["symbol"],
        Timeframe(facts["timeframe"]),
        table["ts"].cast(pa.int64()).to_numpy(),
        table["open"].to_numpy(),
        table["high"].to_numpy(),
        table["low"].to_numpy(),
        table["close"].to_numpy(),
        table["volume"].to_numpy(),
        _codes(table["contract"], contracts, len(table)),
        contracts,
    )


def _codes(column: pa.ChunkedArray, contracts: tuple[str, ...], length: int) -> NDArray[np.int32]:
    if len(contracts) == 1:
        return np.zeros(length, np.int32)
    encoded = column.combine_chunks().dictionary_encode() if not pa.types.is_dictionary(column.type) else column
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    place = np.array([contracts.index(name) for name in encoded.dictionary.to_pylist()], np.int32)
    codes: NDArray[np.int32] = place[encoded.indices.to_numpy()]
    return codes
