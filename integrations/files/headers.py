"""What a table's columns are for, by their names, or by their order where there is no header line."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from integrations.files.thirty_seconds import in_32nds
from integrations.files.when import Shape, shape_of


class ColumnRole(StrEnum):
    """What a column holds."""

    TIME = "time"  # a whole time, or the date or clock time of one
    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    VOLUME = "volume"
    UP = "up"  # volume at rising prices: up and down together are the volume
    DOWN = "down"
    SYMBOL = "symbol"
    CONTRACT = "contract"
    INSTRUMENT_ID = "instrument_id"
    LABEL = "data_label"  # as our own export writes it


PRICES: Final = (ColumnRole.OPEN, ColumnRole.HIGH, ColumnRole.LOW, ColumnRole.CLOSE)
# Names without capitals, spaces and signs, those of a role in order of preference.
_NAMES: Final = {
    ColumnRole.TIME: (
        *("ts", "timestamp", "timestamputc", "tsutc", "time", "timeutc", "datetime", "datetimeutc", "tsevent"),
        *("gmttime", "timegmt", "windowstart", "unix", "unixtime", "epoch", "t", "date"),
    ),
    ColumnRole.OPEN: ("open", "o"),
    ColumnRole.HIGH: ("high", "h"),
    ColumnRole.LOW: ("low", "l"),
    ColumnRole.CLOSE: ("close", "c", "last", "latest", "closelast"),
    ColumnRole.VOLUME: ("volume", "vol", "totalvolume", "totalvol", "v"),
    ColumnRole.UP: ("up", "upvolume", "upvol"),
    ColumnRole.DOWN: ("down", "downvolume", "downvol"),
    ColumnRole.SYMBOL: ("symbol", "ticker", "instrument"),
    ColumnRole.CONTRACT: ("contract",),
    ColumnRole.INSTRUMENT_ID: ("instrumentid",),
    ColumnRole.LABEL: ("datalabel",),
}
_ROLE_OF: Final = {name: role for role, names in _NAMES.items() for name in names}
_SIGNS: Final = re.compile(r"[^a-z0-9]+")
_SAYS_UTC: Final = re.compile(r"(?<![a-z])(utc|gmt)(?![a-z])")
_NUMBER: Final = re.compile(r"[+-]?\d[\d.,' ]*")


def role_of(name: str) -> ColumnRole | None:
    """Return what a column of that name holds, None for one that isn't read."""
    return _ROLE_OF.get(_plain(name))


def preference(name: str) -> int:
    """Return the place of a name among those of its role: the lowest is taken where a table has several."""
    role = role_of(name)
    return _NAMES[role].index(_plain(name)) if role else len(_ROLE_OF)


def says_utc(name: str) -> bool:
    """Whether a column's name says that its times are in UTC."""
    return _SAYS_UTC.search(name.lower()) is not None


def named(header: Sequence[str]) -> list[str]:
    """Return a header's names, lower case; a first column without one is the time, as pandas writes an index."""
    names = [name.strip().lower() for name in header]
    if names[0] == "" and not any(role_of(name) is ColumnRole.TIME for name in names):
        names[0] = "time"
    return names


def without_header(first: Sequence[str]) -> list[str] | None:
    """Return the columns' names by FirstRate's order, or None where the first row isn't a row of bars in that order.

    A time, or a date and a clock time, then open, high, low, close and volume.
    """
    shapes = [shape_of(cell) for cell in first[:2]]
    if shapes[:1] in ([Shape.WHOLE], [Shape.COUNT]):
        times = ["time"]
    elif shapes == [Shape.DATE, Shape.CLOCK]:
        times = ["date", "time"]
    else:
        return None
    values = first[len(times) :]
    names = [*PRICES, ColumnRole.VOLUME]
    if len(values) != len(names) or not all(map(_is_number, values)):
        return None
    return [*times, *(role.value for role in names)]


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None or in_32nds(text.strip())


def _plain(name: str) -> str:
    return _SIGNS.sub("", name.lower())
