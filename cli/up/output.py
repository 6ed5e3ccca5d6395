"""Lines of the supervised processes: to their own log file always, to the console with the name in front."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from cli.console import note

MAX_LOG_BYTES = 10 * 1024 * 1024
LONGEST_LINE = 16 * 1024


class LogFile:
    """A log that is rotated to NAME.log.1 when it grows over 10 MiB, so that logs never fill the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        """Append one line."""
        try:
            self._file.write(line + b"\n")
            if self._file.tell() > MAX_LOG_BYTES:
                self._file.close()
                self._path.replace(self._path.with_suffix(".log.1"))
                self._file = self._path.open("ab", buffering=0)
        except OSError:  # a full disk must not stop the processes whose lines these are
            return

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class OutputPipe:
    """A pipe for a process's output that isn't part of its handle.

    asyncio's own pipe keeps `Process.wait` from returning while a grandchild holds the other end: a killed code
    server would go unnoticed for as long as its children live.
    """

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()

    async def reader(self) -> asyncio.StreamReader:
        """Return the reading end as a stream, this process's copy of the writing end closed."""
        os.close(self.writing)
        stream = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(stream)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: protocol, os.fdopen(self._reading, "rb", buffering=0)
        )
        return stream

    def close(self) -> None:
        """Close the reading end."""
        self._transport.close()


async def pump(name: str, stream: asyncio.StreamReader, log: LogFile, *, echo: bool) -> None:
    """Copy a process's output until its end; over-long lines are cut into pieces."""
    rest = b""
    while chunk := await stream.read(LONGEST_LINE):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) >= LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        for line in lines:
            log.write(line)
            if echo:
                note(f"{name:>14} | {line.decode(errors='replace')}")
    if rest:
        log.write(rest)


def last_lines(path: Path, count: int = 5) -> str:
    """Return the end of a log, for the message about a process that didn't come up."""
    try:
        text = path.read_bytes()[-8192:].decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:])


def stamp() -> str:
    """Now, RFC 3339 UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
