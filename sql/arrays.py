"""Arrays for `unnest`, written as Postgres reads them: the driver takes 3 us for each element of a list."""

from collections.abc import Iterable
from uuid import UUID


def uuid_array(values: Iterable[UUID | None]) -> str:
    """Return a literal to be cast to uuid[]; None is NULL."""
    return text_array(None if value is None else value.hex for value in values)


def text_array(values: Iterable[str | None]) -> str:
    """Return a literal to be cast to text[], or to an array of what its texts stand for; None is NULL."""
    return "{" + ",".join("NULL" if value is None else f'"{_escaped(value)}"' for value in values) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
