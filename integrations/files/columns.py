"""A table's columns as readers hand them over, and their values as numbers, refused row by row."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import bad_data
from trading.bars.schema import FloatArray, IntArray

_LARGEST_VOLUME: Final = 2.0**53
EXPORT_AGAIN: Final = "Export the bars again from their source."


class ColumnKind(Enum):
    """How a column's values are held."""

    TEXT = auto()  # object[T] of str
    NUMBER = auto()  # int64[T] or float64[T]; NaN where a number is missing
    LOCAL_TIME = auto()  # int64[T] ns since 1970 on an unstated clock
    UTC_TIME = auto()  # int64[T] ns since 1970 UTC


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """name: lower case, as in the file. values: T of the kind. place: names a row for messages."""

    name: str
    kind: ColumnKind
    values: NDArray[Any]
    place: Callable[[int], str]

    def floats(self) -> FloatArray:
        """Return float64[T].

        Raises:
            GantryError: DATA_QUALITY_FAILED naming the first row without a number.

        """
        if self.kind in (ColumnKind.LOCAL_TIME, ColumnKind.UTC_TIME):
            raise bad_data(f"{self.place(0)}: {self.name} is a time, not a number.", fix=EXPORT_AGAIN)
        try:
            numbers: FloatArray = self.values.astype(np.float64)
        except (ValueError, TypeError, OverflowError):
            row = next(row for row, value in enumerate(self.values) if not _is_number(value))
            raise bad_data(
                f"{self.place(row)}: {self.name} is {str(self.values[row])[:40]!r}, not a number.", fix=EXPORT_AGAIN
            ) from None
        if not np.isfinite(numbers).all():
            row = int((~np.isfinite(numbers)).argmax())
            raise bad_data(f"{self.place(row)}: {self.name} is not a finite number.", fix=EXPORT_AGAIN)
        return numbers

    def whole_numbers(self) -> IntArray:
        """Return int64[T].

        Raises:
            GantryError: DATA_QUALITY_FAILED naming the first row without a whole number.

        """
        numbers = self.floats()
        wrong = (numbers != np.rint(numbers)) | (np.abs(numbers) > _LARGEST_VOLUME)
        if wrong.any():
            row = int(wrong.argmax())
            raise bad_data(f"{self.place(row)}: {self.name} is not a whole number.", fix=EXPORT_AGAIN)
        return numbers.astype(np.int64)

    def texts(self) -> list[str]:
        """Return T texts; whole numbers as digits."""
        if self.kind is ColumnKind.TEXT:
            return [str(value).strip() for value in self.values.tolist()]
        whole = self.values if self.values.dtype.kind == "i" else self.whole_numbers()
        return [str(value) for value in whole.tolist()]

    def first_text(self) -> str:
        """Return the first of T > 0 texts."""
        return replace(self, values=self.values[:1]).texts()[0]


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
