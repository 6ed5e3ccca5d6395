"""Time zones that stamps name themselves, as Interactive Brokers writes them: 20240101 17:00:00 US/Central."""

import re
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.errors import bad_data, invalid
from integrations.files.columns import Column, ColumnKind

_ZONE: Final = re.compile(r"[A-Za-z_]+(?:/[A-Za-z][A-Za-z0-9_+-]*)+")
_CURRENT_NAMES: Final = {
    "US/Central": "America/Chicago",
    "US/Eastern": "America/New_York",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
    "Etc/UTC": "UTC",
}
_FIX: Final = "Export the times in UTC, or all of them in one zone."


def zone_apart(text: str) -> tuple[str, str]:
    """Return a time without the zone's name behind it, and that name; empty where it has none."""
    time, _, zone = text.strip().rpartition(" ")
    return (time.rstrip(), zone) if time and _ZONE.fullmatch(zone) else (text, "")


def without_zone(column: Column) -> tuple[Column, str | None]:
    """Return a column of T > 0 times without zones' names, and the zone that all of them name, if they do.

    The zone goes by its current name.

    Raises:
        GantryError: DATA_QUALITY_FAILED naming the first row whose zone isn't that of the first one;
            VALIDATION_FAILED for an unknown zone.

    """
    if column.kind is not ColumnKind.TEXT or not zone_apart(column.first_text())[1]:
        return column, None
    parts = [zone_apart(text) for text in column.texts()]
    zone = parts[0][1]
    other = next((row for row, part in enumerate(parts) if part[1] != zone), None)
    if other is not None:
        named = f"names the zone {parts[other][1][:40]}" if parts[other][1] else "names no zone"
        raise bad_data(f"{column.place(other)}: {column.name} {named}, others before it {zone[:40]}.", fix=_FIX)
    if not is_zone(zone):
        raise invalid(f"{column.place(0)}: {column.name} names an unknown time zone, {zone[:40]!r}.", fix=_FIX)
    return replace(column, values=np.array([part[0] for part in parts], dtype=object)), current_name(zone)


def is_zone(name: str) -> bool:
    """Whether it is an IANA name of a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def current_name(zone: str) -> str:
    """Return the name that a zone goes by today."""
    return _CURRENT_NAMES.get(zone, zone)
