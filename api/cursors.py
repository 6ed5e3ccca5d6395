"""Opaque cursors: the last row's sort key, bound to the list, its filter and its sort."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query

from api.errors import BadQuery

_FIX = "Use `page.next_cursor` of the same list, with the same filters."
_MOST_DIGITS: Final = 300  # before the point, or zeros after it; a float ends there
Cursor = Annotated[str | None, Query(description="`page.next_cursor` of the previous page.", max_length=1000)]


@dataclass(frozen=True, slots=True)
class ListKey:
    """What a cursor belongs to: a list's name (with its sort) and the filters it was asked with."""

    name: str
    filters: Mapping[str, object]

    def encode(self, key: Sequence[object]) -> str:
        """Return the cursor that goes on after the row with this sort key."""
        raw = json.dumps([self._mark(), [_plain(part) for part in key]], separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    def decode(self, cursor: str, *, parts: int) -> list[object]:
        """Return the sort key in a cursor, as JSON values.

        Raises:
            BadQuery: for an invalid cursor, or one of another list or filter.

        """
        try:
            mark, key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, TypeError, RecursionError):
            raise BadQuery("cursor", "Invalid cursor.", fix=_FIX) from None
        if mark != self._mark():
            raise BadQuery("cursor", "The cursor belongs to another list or filter.", fix=_FIX)
        if not isinstance(key, list) or len(key) != parts:
            raise BadQuery("cursor", "Invalid cursor.", fix=_FIX)
        return key

    def _mark(self) -> str:
        raw = json.dumps([self.name, {k: str(v) for k, v in self.filters.items()}], sort_keys=True)
        return hashlib.sha256(raw.encode()).hexdigest()[:16]


def as_instant(value: object) -> datetime:
    """Read a cursor's instant."""
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX) from None
    if instant.tzinfo is None:
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX)
    return instant


def as_id(value: object) -> UUID:
    """Read a cursor's id."""
    try:
        return UUID(str(value))
    except ValueError:
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX) from None


def as_int(value: object) -> int:
    """Read a cursor's number."""
    if type(value) is not int or not -1 <= value < 2**31:
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX)
    return value


def as_text(value: object) -> str:
    """Read a cursor's text."""
    if not isinstance(value, str) or "\x00" in value or not _is_unicode(value):
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX)
    return value


def as_float(value: object) -> float:
    """Read a cursor's measured number, which is stored as text."""
    return float(_number(value))


def as_decimal(value: object) -> Decimal:
    """Read a cursor's amount of money."""
    return _number(value)


def as_symbol(value: object) -> str:
    """Read a cursor's symbol or month."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX)
    return value


def limited(limit: int, *, maximum: int) -> int:
    """Lower a limit to the maximum.

    Raises:
        BadQuery: below 1.

    """
    if limit < 1:
        raise BadQuery("limit", "limit must be 1 or more.", fix=f"Use 1 to {maximum}.")
    return min(limit, maximum)


def _number(value: object) -> Decimal:
    try:
        number = Decimal(as_text(value))
    except InvalidOperation:
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX) from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise BadQuery("cursor", "Invalid cursor.", fix=_FIX)
    return number


def _is_unicode(text: str) -> bool:
    """Whether a text can be sent to the database: JSON may hold half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _plain(part: object) -> object:
    if isinstance(part, datetime):
        return part.isoformat()
    return part if part is None or isinstance(part, int) else str(part)
