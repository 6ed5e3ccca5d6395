"""The folder or bucket of bars: files written whole or not at all, named by content, never deleted."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import Any, Final
from uuid import uuid4

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from core.errors import ErrorCode, GantryError, Kind, data_unavailable
from integrations.store.parquet import StoredMonth, decode, open_month, room_for, write_bars
from trading.bars.hashing import contracts_hash
from trading.bars.months import in_order_of_time
from trading.bars.schema import Bars

_READERS: Final = min(4, os.cpu_count() or 1)


class BarsStore:
    """Bars under a root: a local folder or anything fsspec knows, such as s3://bucket/prefix."""

    def __init__(self, root: str) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(root)
        # Kept: Arrow gives each thread its own memory, and a new thread pays for all its pages again. Started on use.
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="bars")

    def write(self, bars: Bars, *, provider: str, month: str, content_hash: str) -> str:
        """Write one symbol-month and return its path below the root; the same content again is the same file.

        The file appears under its name only when it is complete; one of that name that was damaged is made whole.

        Raises:
            GantryError: ENVIRONMENT_INVALID for a folder that is full or can't be written.

        """
        relative = f"{provider}/{bars.symbol}/{month}.{content_hash[:16]}.{contracts_hash(bars)[:8]}.parquet"
        with self._made_whole(relative) as file:
            write_bars(bars, file)
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

    def keep_incoming(self, name: str, content: bytes) -> None:
        """Keep bytes under incoming/ until they are worked up.

        Raises:
            GantryError: ENVIRONMENT_INVALID for a folder that is full or can't be written.

        """
        with self._made_whole(f"incoming/{name}") as file:
            file.write(content)

    def incoming(self, name: str) -> bytes | None:
        """Return bytes kept under incoming/, None where there are none."""
        try:
            with self._filesystem.open(self._absolute(f"incoming/{name}"), "rb") as file:
                return bytes(file.read())
        except OSError:
            return None

    def all_incoming(self) -> tuple[str, ...]:
        """Return the names of what is kept under incoming/."""
        try:
            found = self._filesystem.ls(self._absolute("incoming"), detail=False)
        except FileNotFoundError:
            return ()
        return tuple(str(path).rpartition("/")[2] for path in found)

    def forget_incoming(self, name: str) -> None:
        """Remove what was kept under incoming/."""
        self._forget(self._absolute(f"incoming/{name}"))

    def read(self, paths: Sequence[str]) -> Bars:
        """Return the bars of these files as one, sorted by (ts, contract); at least one path.

        Raises:
            GantryError: DATA_UNAVAILABLE, naming a file that is gone or can't be read.

        """
        months = [self._open(path) for path in paths]
        bars = room_for(months)
        stops = list(accumulate(month.rows for month in months))
        parts = [bars.take(slice(stop - month.rows, stop)) for stop, month in zip(stops, months, strict=True)]
        list(self._readers.map(self._decode, paths, months, parts))
        return in_order_of_time(bars)

    def _open(self, relative: str) -> StoredMonth:
        with self._readable(relative), self._filesystem.open(self._absolute(relative), "rb") as file:
            return open_month(file.read())  # in one go: a Python file costs more than the decoding

    def _decode(self, relative: str, month: StoredMonth, into: Bars) -> None:
        with self._readable(relative):
            decode(month, into)

    @contextmanager
    def _readable(self, relative: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise data_unavailable(
                f"The bars file {relative} can't be read: {str(error).splitlines()[0] if str(error) else error!r}",
                fix="Import that month's file again, which restores it; `gantry bars check` lists what is damaged.",
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
                fix="Free space in the bars folder, and let this user write there.",
                kind=Kind.UNAVAILABLE,
            ) from error
        finally:
            self._forget(temporary)

    def _forget(self, temporary: str) -> None:
        with suppress(OSError):  # a leftover hurts nobody, and the failure before it is the one to report
            if self._filesystem.exists(temporary):
                self._filesystem.rm(temporary)

    def _absolute(self, relative: str) -> str:
        return f"{self._root}/{relative}"
