"""Times of bars as files write them: ISO 8601 texts or counts since 1970, with a stated zone or refused."""

import re
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.errors import GantryError, bad_data, invalid
from integrations.files.columns import Column, ColumnKind
from integrations.files.types import Stamp
from trading.bars.schema import IntArray
from trading.sessions import MINUTE_NS

_OFFSET: Final = re.compile(r"\d{2}(?:[zZ]|[+-]\d{2}:?\d{2})$")
_COUNT: Final = re.compile(r"\d{10}|\d{13}|\d{16}|\d{19}")
_UTC: Final = ("UTC", "Etc/UTC")
_FIX: Final = "Write times as 2024-01-31 23:59:00, with --tz, or as 2024-01-31T23:59:00Z."
_NS_PER_UNIT: Final = (1_000_000_000, 1_000_000, 1_000, 1)  # seconds, milli-, micro-, nanoseconds


def opens_ns(column: Column, *, tz: str | None, stamp: Stamp) -> IntArray:
    """Return int64[T] ns UTC, the bars' opens.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown zone, none at all, or one that contradicts the file;
            DATA_QUALITY_FAILED naming the first row whose time can't be read, or doesn't exist in that zone.

    """
    if tz is not None:
        _check_zone(tz)
    if column.kind is ColumnKind.TEXT:
        column = _parsed(column)
    if column.kind is ColumnKind.NUMBER:
        column = _from_counts(column)
    if column.kind is ColumnKind.UTC_TIME or column.name.endswith("utc"):
        if tz is not None and tz not in _UTC:
            raise invalid(f"--tz is {tz}, but column {column.name} is in UTC.", fix="Leave --tz away.", field="tz")
        times: IntArray = column.values
    else:
        times = _localized(column, tz)
    return times - MINUTE_NS if stamp is Stamp.CLOSE else times


def _check_zone(tz: str) -> None:
    try:
        ZoneInfo(tz)
    except (KeyError, ValueError, OSError):
        raise invalid(
            f"Unknown time zone {tz!r}.", fix="Give an IANA name, like UTC or America/Chicago.", field="tz"
        ) from None


def _parsed(column: Column) -> Column:
    """Texts as times, UTC where every one of them states an offset; or as counts."""
    texts = column.texts()
    if all(_COUNT.fullmatch(text) for text in texts):
        return Column(column.name, ColumnKind.NUMBER, np.array(texts, np.int64), column.place)
    stated = np.array([_OFFSET.search(text, 10) is not None for text in texts], np.bool_)
    if stated.any() and not stated.all():
        row = int((stated != stated[0]).argmax())
        raise bad_data(f"{column.place(row)}: only some of the times state a zone.", fix=_FIX)
    parsed = pd.to_datetime(pd.Series(texts, dtype=object), format="ISO8601", utc=True, errors="coerce")
    if parsed.isna().any():
        row = int(parsed.isna().to_numpy().argmax())
        raise bad_data(f"{column.place(row)}: {texts[row][:40]!r} is no time that can be read.", fix=_FIX)
    kind = ColumnKind.UTC_TIME if stated.all() else ColumnKind.LOCAL_TIME
    return Column(column.name, kind, _as_ns(column, pd.DatetimeIndex(parsed).tz_localize(None)), column.place)


def _from_counts(column: Column) -> Column:
    """Counts since 1970 in the unit that puts the first one between 2001 and 2286."""
    counts = column.values if column.values.dtype.kind == "i" else column.whole_numbers()
    first = int(counts[0])
    for unit, ns in enumerate(_NS_PER_UNIT):
        low = 10 ** (9 + 3 * unit)
        if low <= first < 10 * low:
            far = (counts < 0) | (counts >= 2**63 // ns)
            if far.any():
                raise _unreadable(column, int(far.argmax()))
            return Column(column.name, ColumnKind.UTC_TIME, counts.astype(np.int64) * ns, column.place)
    raise _unreadable(column, 0)


def _localized(column: Column, tz: str | None) -> IntArray:
    if tz is None:
        raise invalid(
            f"Column {column.name} of {column.place(0).split(',')[0]} states no time zone.",
            fix="Give the time zone of the stamps with --tz, for example --tz UTC or --tz America/Chicago.",
            field="tz",
        )
    local = pd.DatetimeIndex(column.values.astype("datetime64[ns]"))
    placed = local.tz_localize(tz, ambiguous="NaT", nonexistent="NaT")
    if placed.isna().any():
        row = int(placed.isna().argmax())
        raise bad_data(
            f"{column.place(row)}: {local[row]} is there twice, or not at all, in {tz}, where clocks change then.",
            fix="Export the times in UTC.",
        )
    return _as_ns(column, placed.tz_convert("UTC").tz_localize(None))


def _as_ns(column: Column, times: pd.DatetimeIndex) -> IntArray:
    try:
        return times.as_unit("ns").asi8
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        year = np.array(times.year)
        raise _unreadable(column, int(((year < 1678) | (year > 2261)).argmax())) from None


def _unreadable(column: Column, row: int) -> GantryError:
    return bad_data(f"{column.place(row)}: {column.name} is no time of a bar.", fix=_FIX)
