"""Log files of one data folder: read from the start, and followed when they are rotated to NAME.log.1."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from cli.logs.lines import LineReader, LogLine, first_time
from core.errors import not_found


def process_names(folder: Path) -> list[str]:
    """Return the names of the processes that have a log."""
    return sorted(path.stem for path in folder.glob("*.log"))


def chosen_names(folder: Path, wanted: Sequence[str]) -> list[str]:
    """Return the names that are asked for, all for none.

    Raises:
        GantryError: NOT_FOUND for a process without a log.

    """
    known = process_names(folder)
    for name in wanted:
        if name not in known:
            raise not_found("log of a process named", name, fix=f"Use one of {', '.join(known) or 'none yet'}.")
    return list(dict.fromkeys(wanted)) or known


class FollowedLog:
    """One process's log. Each call of `read` returns the lines that came since, whole lines only."""

    def __init__(self, folder: Path, process: str) -> None:
        self._path = folder / f"{process}.log"
        self._file: BinaryIO | None = None
        self._rest = b""
        self._process = process
        self._reader: LineReader | None = None

    def read(self) -> list[LogLine]:
        """Return the new lines; the first time all of them, those of NAME.log.1 included."""
        lines = self._new_lines()
        if not lines:
            return []
        if self._reader is None:
            self._reader = LineReader(self._process, first_time(lines) or self._changed_at())
        return list(self._reader.read(lines))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _new_lines(self) -> list[str]:
        got = b""
        if self._file is None:
            rotated = self._path.with_suffix(".log.1")
            got = rotated.read_bytes() if rotated.exists() else b""
            self._file = self._opened()
        while self._file is not None:
            got += self._file.read()
            if not self._was_rotated(self._file):
                break
            got += self._file.read()  # what was written between the two looks
            self._file.close()
            self._file = self._opened()
        *whole, self._rest = (self._rest + got).split(b"\n")
        return [line.decode(errors="replace") for line in whole]

    def _opened(self) -> BinaryIO | None:
        return self._path.open("rb") if self._path.exists() else None

    def _was_rotated(self, file: BinaryIO) -> bool:
        """Whether another file has the name now."""
        try:
            return not os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:  # just rotated; the next one isn't there yet
            return False

    def _changed_at(self) -> datetime:
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)


class Followed:
    """Logs of several processes, open until the block ends. new_ones: also of those that start to write later."""

    def __init__(self, folder: Path, names: Sequence[str], *, new_ones: bool) -> None:
        self._folder = folder
        self._new_ones = new_ones
        self._logs = {name: FollowedLog(folder, name) for name in names}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for log in self._logs.values():
            log.close()

    def new_lines(self) -> list[LogLine]:
        """Return the lines that came since the last call, in order of time."""
        for name in process_names(self._folder) if self._new_ones else ():
            if name not in self._logs:
                self._logs[name] = FollowedLog(self._folder, name)
        return sorted((line for log in self._logs.values() for line in log.read()), key=lambda line: line.at)
