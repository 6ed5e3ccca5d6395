"""From a table's columns of times to the bars' opens in UTC: the zone is stated, given by the user, or refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.errors import GantryError, bad_data, invalid
from integrations.files.columns import Column, ColumnKind
from integrations.files.headers import says_utc
from integrations.files.length import refuse_other_lengths
from integrations.files.types import ReadOptions, Stamp
from integrations.files.when import COUNT, DAY_NS, UNREADABLE, Shape, clocks_of, days_of, parted, shape_of
from integrations.files.zones import current_name, is_zone, without_zone
from trading.bars.schema import IntArray
from trading.sessions import MINUTE_NS

_UTC: Final = ("UTC", "Etc/UTC")
_FIX: Final = "Write times as 2024-01-31 23:59:00, with --tz, or as 2024-01-31T23:59:00Z."
UNSTATED: Final = "zone_unstated"  # among the facts of the refusal of times without a zone
_NS_PER_UNIT: Final = (1_000_000_000, 1_000_000, 1_000, 1)  # seconds, milli-, micro-, nanoseconds


class Clock(StrEnum):
    """How a file's times say what they are."""

    NONE = "none"  # no zone: --tz says it
    OFFSET = "offset"  # each time, or the column's name or type, states UTC or an offset
    NAMED = "named"  # each time names the same zone, as US/Central
    COUNT = "count"  # since 1970, which is UTC unless --epoch-tz says otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """T times as they stand in a file.

    name: of their columns. ns: int64[T] since 1970, UTC but for Clock.NONE and NAMED. place: names a row for messages.
    zone: the one that the times name, for Clock.NAMED.
    """

    name: str
    clock: Clock
    ns: IntArray
    place: Callable[[int], str]
    zone: str | None = None


def times_of(columns: Sequence[Column], file: str) -> Times:
    """Read the times of T rows, T > 0, from the columns that a table has for them, in order of preference.

    Raises:
        GantryError: VALIDATION_FAILED where the columns hold no times, or those of bars of a day and longer;
            DATA_QUALITY_FAILED naming the first row whose time can't be read, or that names another zone.

    """
    apart = [without_zone(column) for column in columns]
    times = _times_of([column for column, _ in apart], file)
    names = times.name.split(" + ")
    zone = next((zone for column, zone in apart if zone and column.name in names), None)
    return times if zone is None else _in_zone(times, zone)


def _times_of(columns: Sequence[Column], file: str) -> Times:
    shapes = [_shape(column) for column in columns]
    for column, shape in zip(columns, shapes, strict=True):
        if shape in (Shape.COUNT, Shape.WHOLE):
            return _whole(column, shape)
    if Shape.DATE not in shapes and Shape.CLOCK not in shapes:
        raise _unreadable(columns[0], 0)
    if Shape.DATE not in shapes:
        column = columns[shapes.index(Shape.CLOCK)]
        raise invalid(
            f"{column.place(0)}: {column.name} is {column.texts()[0][:40]!r}, a time of day without a date.",
            fix="Add a column date, or write whole times like 2024-01-31 23:59:00.",
        )
    day = columns[shapes.index(Shape.DATE)]
    if Shape.CLOCK not in shapes:
        raise invalid(
            f"{file} has dates without a time of day, so its bars are a day long or longer, not one-minute bars.",
            fix="Give one-minute bars; longer ones are made from them.",
        )
    clock = columns[shapes.index(Shape.CLOCK)]
    return _together(f"{day.name} + {clock.name}", day, day.texts(), clock.texts())


def opens_ns(times: Times, options: ReadOptions, file: str) -> IntArray:
    """Return int64[T] ns UTC, the bars' opens.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown zone, none at all, one that contradicts the file, or bars
            longer than a minute; DATA_QUALITY_FAILED naming the first row whose time doesn't exist in that zone.

    """
    for field, zone in (("tz", options.tz), ("epoch_tz", options.epoch_tz)):
        if zone is not None:
            _check_zone(zone, field)
    refuse_other_lengths(file, times.ns)
    _refuse_contradiction(times, options)
    zone = options.epoch_tz if times.clock is Clock.COUNT else times.zone or options.tz
    opens = times.ns
    if times.clock in (Clock.NONE, Clock.NAMED) or (times.clock is Clock.COUNT and zone not in (None, *_UTC)):
        opens = _localized(times, zone, file)
    return opens - MINUTE_NS if options.stamp is Stamp.CLOSE else opens


def _in_zone(times: Times, zone: str) -> Times:
    """Return times that name a zone."""
    if times.clock is Clock.NONE:
        return replace(times, clock=Clock.NAMED, zone=zone)
    if zone not in _UTC and (times.clock is Clock.COUNT or says_utc(times.name)):
        raise invalid(
            f"{times.place(0)}: the time names the zone {zone}, but column {times.name} is in UTC.",
            fix="Export the times in UTC, without a zone's name.",
        )
    return times


def _shape(column: Column) -> Shape:
    if column.kind in (ColumnKind.UTC_TIME, ColumnKind.LOCAL_TIME):
        return Shape.WHOLE
    return shape_of(column.first_text())


def _whole(column: Column, shape: Shape) -> Times:
    if column.kind in (ColumnKind.UTC_TIME, ColumnKind.LOCAL_TIME):
        return _checked(column.name, column, column.values, stated=column.kind is ColumnKind.UTC_TIME)
    if shape is Shape.COUNT:
        return Times(column.name, Clock.COUNT, _from_counts(column), column.place)
    days, clocks = parted(column.texts())
    return _together(column.name, column, days, clocks)


def _together(name: str, column: Column, days: Sequence[str], clocks: Sequence[str]) -> Times:
    """column: names a row for messages, and holds the text shown there."""
    day, clock = days_of(days, column.place), clocks_of(clocks)
    wrong = (day == UNREADABLE) | (clock.ns == UNREADABLE)
    some = clock.stated[~wrong]
    if some.any() and not some.all():
        row = int((clock.stated != some[0]).argmax())
        raise bad_data(f"{column.place(row)}: only some of the times state a zone.", fix=_FIX)
    if wrong.any():
        row = int(wrong.argmax())
        text = f"{days[row]} {clocks[row]}" if name != column.name else column.texts()[row]
        raise bad_data(f"{column.place(row)}: {text[:40]!r} is not a readable time.", fix=_FIX)
    far = np.abs(day) > 200 * 366  # int64 holds nanoseconds for 292 years
    if far.any():
        raise _unreadable(column, int(far.argmax()))
    return _checked(name, column, day * DAY_NS + clock.ns, stated=bool(some.any()))


def _checked(name: str, column: Column, ns: IntArray, *, stated: bool) -> Times:
    return Times(name, Clock.OFFSET if stated or says_utc(name) else Clock.NONE, ns, column.place)


def _from_counts(column: Column) -> IntArray:
    """Counts since 1970 in the unit that puts the first one between 2001 and 2286, as ns."""
    texts = column.texts()
    wrong = next((row for row, text in enumerate(texts) if not COUNT.fullmatch(text)), None)
    if wrong is not None:
        raise _unreadable(column, wrong)
    unit = _NS_PER_UNIT[(len(texts[0]) - 10) // 3]
    ns = [int(text) * unit for text in texts]
    far = next((row for row, count in enumerate(ns) if count >= 2**63), None)
    if far is not None:
        raise _unreadable(column, far)
    return np.array(ns, np.int64)


def _check_zone(zone: str, field: str) -> None:
    if not is_zone(zone):
        raise invalid(
            f"Unknown time zone {zone!r}.", fix="Give an IANA name, like UTC or America/Chicago.", field=field
        )


def _refuse_contradiction(times: Times, options: ReadOptions) -> None:
    tz, epoch_tz = options.tz, options.epoch_tz
    if times.clock is Clock.OFFSET and tz not in (None, *_UTC):
        raise invalid(f"--tz is {tz}, but column {times.name} is in UTC.", fix="Leave --tz away.", field="tz")
    if times.zone is not None and tz is not None and current_name(tz) != times.zone:
        raise invalid(
            f"--tz is {tz}, but the times of column {times.name} name the zone {times.zone}.",
            fix="Leave --tz away.",
            field="tz",
        )
    if times.clock is Clock.COUNT and tz not in (None, *_UTC):
        raise invalid(
            f"--tz is {tz}, but column {times.name} counts from 1970, which is UTC.",
            fix=f"Leave --tz away; if the counts were made from a clock in {tz}, give --epoch-tz {tz} instead.",
            field="tz",
        )
    if times.clock is not Clock.COUNT and epoch_tz is not None:
        other = f", and give --tz {epoch_tz} instead" if times.clock is Clock.NONE and tz is None else ""
        raise invalid(
            f"--epoch-tz is {epoch_tz}, but column {times.name} holds times, not counts since 1970.",
            fix=f"Leave --epoch-tz away{other}.",
            field="epoch_tz",
        )


def _localized(times: Times, zone: str | None, file: str) -> IntArray:
    if zone is None:
        raise invalid(
            f"Column {times.name} of {file} states no time zone.",
            fix="Give the time zone of the stamps with --tz, for example --tz UTC or --tz America/Chicago.",
            field="tz",
            facts={UNSTATED: True},
        )
    local = pd.DatetimeIndex(times.ns.astype("datetime64[ns]"))
    placed = local.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    if placed.isna().any():
        row = int(placed.isna().argmax())
        raise bad_data(
            f"{times.place(row)}: {local[row]} is there twice, or not at all, in {zone}, where clocks change then.",
            fix="Export the times in UTC.",
        )
    return placed.tz_convert("UTC").tz_localize(None).as_unit("ns").asi8


def _unreadable(column: Column, row: int) -> GantryError:
    text = column.texts()[row][:40]
    return bad_data(f"{column.place(row)}: {column.name} is {text!r}, which can't be read as a time.", fix=_FIX)
