"""Lines of the processes' logs: when each was written and how grave it is, read from the line itself.

Processes write in three ways: structlog's (readable, or JSON in production), Dagster's and uvicorn's. A line in none of
them, such as one of a traceback, belongs to the record before it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STRUCTLOG: Final = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) \[(\w+) *\]")
_DAGSTER: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}) - .*? - ([A-Z]+) - ")
_UVICORN: Final = re.compile(r"([A-Z]+): {2,}")
_TRACEBACK: Final = "Traceback (most recent call last):"


class LogLevel(StrEnum):
    """How grave a line is, from the least."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_RANK: Final = {level: rank for rank, level in enumerate(LogLevel)}
_LEVELS: Final = {
    **{level.value: level for level in LogLevel},
    "warn": LogLevel.WARNING,
    "critical": LogLevel.ERROR,
    "fatal": LogLevel.ERROR,
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. at: when it was written, UTC; text: without its end and without colours."""

    process: str
    at: datetime
    level: LogLevel
    text: str

    def is_at_least(self, level: LogLevel) -> bool:
        """Whether it is that grave, or graver."""
        return _RANK[self.level] >= _RANK[level]


@dataclass(slots=True)
class LineReader:
    """Reads the lines of one process in order. at: when lines before its first dated one were written."""

    process: str
    at: datetime
    level: LogLevel = LogLevel.INFO

    def read(self, lines: Iterable[str]) -> Iterator[LogLine]:
        """Yield each line with its own time and level, or those of the record it belongs to."""
        for raw in lines:
            text = ANSI.sub("", raw)
            at, level = _head(text)
            self.at = at or self.at
            if level is not None:
                self.level = level
            elif text.startswith(_TRACEBACK):
                self.level = LogLevel.ERROR
            yield LogLine(self.process, self.at, self.level, text)


def first_time(lines: Iterable[str]) -> datetime | None:
    """Return the time of the first line that has one."""
    return next((at for line in lines if (at := _head(ANSI.sub("", line))[0]) is not None), None)


def _head(text: str) -> tuple[datetime | None, LogLevel | None]:
    if match := _STRUCTLOG.match(text):
        return _instant(match[1]), _LEVELS.get(match[2])
    if match := _DAGSTER.match(text):
        return datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S %z").astimezone(UTC), _LEVELS.get(match[2].lower())
    if text.startswith("{"):
        return _of_json(text)
    if match := _UVICORN.match(text):
        return None, _LEVELS.get(match[1].lower())
    return None, None


def _of_json(text: str) -> tuple[datetime | None, LogLevel | None]:
    try:
        record: dict[str, Any] = json.loads(text)
    except ValueError:
        return None, None
    return _instant(str(record.get("timestamp", ""))), _LEVELS.get(str(record.get("level", "")))


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
