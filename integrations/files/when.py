"""Dates and clock times as files write them, as numbers; one way of writing in a column, or the row is refused.

Dates: 2024-01-31, 2024/01/31, 2024.01.31, 20240131, 31.01.2024, 01/31/2024 or 31/01/2024 (by the file's own days),
31-Jan-2024. Clock times: 9:30, 09:30:00, 09:30:00.000, 9:30 AM, 0930 and 930, 093000; with Z or an offset, or without.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import bad_data
from integrations.files.zones import zone_apart
from trading.bars.schema import IntArray

UNREADABLE: Final = np.iinfo(np.int64).min
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
COUNT: Final = re.compile(r"\d{10}|\d{13}|\d{16}|\d{19}")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_ADJACENT_DAYS, _FAR_DAYS = 4, 27  # over a weekend and a holiday; a month
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_YEAR_FIRST = re.compile(r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})")
_COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})(?P<s>[-/])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4})")
_MONTH_FIRST = re.compile(r"(?P<m>\d{1,2})(?P<s>[-/])(?P<d>\d{1,2})(?P=s)(?P<y>\d{4})")
_DOTTED = re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})")
_NAMED = re.compile(r"(?P<d>\d{1,2})-(?P<m>[A-Za-z]{3})-(?P<y>\d{4})")
_DATES: Final = (_YEAR_FIRST, _COMPACT, _MONTH_FIRST, _DOTTED, _NAMED)
_ZONE: Final = r"\s*(?P<zone>[zZ]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
_COLONS = re.compile(
    r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?" + _ZONE
)
_DIGITS = re.compile(r"(?P<digits>\d{1,6})" + _ZONE)
_TOGETHER = re.compile(r"(\d{8})(\d{4}(?:\d{2})?)")  # 20240131 and 0930 or 093000 in one number


class Shape(Enum):
    """What a text holds of a time."""

    COUNT = auto()  # since 1970
    WHOLE = auto()
    DATE = auto()
    CLOCK = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Clocks:
    """ns: int64[T] after midnight, UTC where a zone is stated, UNREADABLE where none. stated: bool[T]."""

    ns: IntArray
    stated: NDArray[np.bool_]


def shape_of(text: str) -> Shape:
    """Return what a text holds, by its look."""
    text = zone_apart(text)[0].strip()
    if COUNT.fullmatch(text):
        return Shape.COUNT
    if _is_date(text):
        return Shape.DATE
    if _is_clock(text):
        return Shape.CLOCK
    (day,), (clock,) = parted([text])
    return Shape.WHOLE if _is_date(day) and _is_clock(clock) else Shape.OTHER


def parted(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split texts into their dates and clock times; the clock is empty where the first text's way doesn't fit."""
    if _TOGETHER.fullmatch(texts[0]):
        fits = [_TOGETHER.fullmatch(text) is not None for text in texts]
        return [text[:8] for text in texts], [text[8:] if fit else "" for text, fit in zip(texts, fits, strict=True)]
    sign = "T" if re.match(r"[\d-]+T\d", texts[0]) else " "
    parts = [text.partition(sign) for text in texts]
    return [part[0].rstrip(",") for part in parts], [part[2].lstrip() for part in parts]


def days_of(texts: Sequence[str], place: Callable[[int], str]) -> IntArray:
    """Return int64[T], days since 1970, UNREADABLE where a date isn't written like the first one.

    Raises:
        GantryError: DATA_QUALITY_FAILED where the day and the month can't be distinguished.

    """
    unique, rows = once(texts)
    if not _MONTH_FIRST.fullmatch(unique[0]):
        pattern = next((one for one in _DATES if one.fullmatch(unique[0])), _YEAR_FIRST)
        return _days(pattern, unique)[rows]
    month_first, day_first = _days(_MONTH_FIRST, unique), _days(_DAY_FIRST, unique)
    readable = [(days != UNREADABLE).all() for days in (month_first, day_first)]
    if readable[0] != readable[1]:
        return (month_first if readable[0] else day_first)[rows]
    unlike = (month_first != day_first)[rows]
    if not readable[0] or not unlike.any():
        return month_first[rows]
    if _adjacent(month_first[rows]) and _far(day_first[rows]):
        return month_first[rows]
    if _adjacent(day_first[rows]) and _far(month_first[rows]):
        return day_first[rows]
    row = int(unlike.argmax())
    raise bad_data(
        f"{place(row)}: {texts[row][:40]!r} may be month first or day first, and no date in the file shows which.",
        fix="Write dates like 2024-01-31.",
    )


def clocks_of(texts: Sequence[str]) -> Clocks:
    """Return the times of day; UNREADABLE where one isn't written like the first one.

    Digits are HHMM where none has over four, else HHMMSS; leading zeros may be missing.
    """
    unique, rows = once(texts)
    colons = _COLONS.fullmatch(unique[0]) is not None
    found = [(_COLONS if colons else _DIGITS).fullmatch(text) for text in unique]
    longest = 0 if colons else max((len(match["digits"]) for match in found if match), default=0)
    read = _of_colons if colons else _of_digits(longest)
    ns = [UNREADABLE if match is None else read(match) for match in found]
    stated = [match is not None and match["zone"] is not None for match in found]
    return Clocks(np.array(ns, np.int64)[rows], np.array(stated, np.bool_)[rows])


def _is_date(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in _DATES)


def _is_clock(text: str) -> bool:
    return _COLONS.fullmatch(text) is not None or _DIGITS.fullmatch(text) is not None


def once(texts: Sequence[str]) -> tuple[list[str], IntArray]:
    """Each text once, and the place of every row's text among them: a column has few dates and few clock times."""
    place = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return list(place), np.fromiter(map(place.__getitem__, texts), np.int64, len(texts))


def _days(pattern: re.Pattern[str], texts: Iterable[str]) -> IntArray:
    return np.array([_day(pattern.fullmatch(text)) for text in texts], np.int64)


def _day(match: re.Match[str] | None) -> int:
    if match is None:
        return UNREADABLE
    month = match["m"]
    try:
        number = int(month) if month.isdigit() else _MONTHS.index(month.lower()) + 1
        return date(int(match["y"]), number, int(match["d"])).toordinal() - _EPOCH
    except ValueError:
        return UNREADABLE


def _adjacent(days: IntArray) -> bool:
    """Whether each date is followed by the next one or so."""
    steps = np.abs(np.diff(days))
    return bool(steps.any() and steps.max() <= _ADJACENT_DAYS)


def _far(days: IntArray) -> bool:
    """Whether every change of the date is one by a month or so."""
    steps = np.abs(np.diff(days))
    return bool(steps[steps > 0].min(initial=_FAR_DAYS) >= _FAR_DAYS)


def _of_colons(match: re.Match[str]) -> int:
    hour = int(match["h"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return UNREADABLE
        hour = hour % 12 + (12 if match["half"] in "pP" else 0)
    fraction = int((match["f"] or "0").ljust(9, "0"))
    return _ns(hour, int(match["m"]), int(match["s"] or 0), fraction, match["zone"])


def _of_digits(longest: int) -> Callable[[re.Match[str]], int]:
    """Read HHMM or HHMMSS. Two digits at most would be hours or minutes, which is ambiguous."""

    def read(match: re.Match[str]) -> int:
        if longest <= 2:
            return UNREADABLE
        digits = match["digits"].zfill(4 if longest <= 4 else 6).ljust(6, "0")
        return _ns(int(digits[:2]), int(digits[2:4]), int(digits[4:]), 0, match["zone"])

    return read


def _ns(hour: int, minute: int, second: int, fraction: int, zone: str | None) -> int:
    if hour > 23 or minute > 59 or second > 59:
        return UNREADABLE
    ahead = 0
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        ahead = (int(digits[:2]) * 60 + int(digits[2:])) * (-60 if zone[0] == "-" else 60)
    return (hour * 3600 + minute * 60 + second - ahead) * SECOND_NS + fraction
