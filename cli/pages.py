"""Lists on the command line: as many rows as are asked for, read page by page, and a word where there are more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Protocol, TypeVar

import typer

from cli.console import note
from core.errors import invalid
from core.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = TypeVar("Row")
PAGE: Final = 1_000  # rows read at once
All = Annotated[bool, typer.Option("--all", help="Show all of them.")]


class ReadPage(Protocol):
    """A page of a list: rows, and where the next one starts, None at the end."""

    @property
    def rows(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def following(self) -> Any: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """The first rows of a list. cut: whether there are more."""

    shown: list[Row]
    cut: bool


def first_rows(read: Callable[[Any, int], ReadPage], limit: int | None) -> Rows[Any]:
    """Read the first rows of a list. read: a page after a place, None for the first. limit: None for all rows.

    Raises:
        GantryError: VALIDATION_FAILED for a limit below 1.

    """
    if limit is not None and limit < 1:
        raise invalid("--limit must be 1 or more.", fix="Correct it, or leave it out.", field="limit")
    found: list[Any] = []
    after = None
    while True:
        page = read(after, PAGE if limit is None else min(PAGE, limit - len(found)))
        found += page.rows
        after = page.following
        if after is None or len(found) == limit:
            return Rows(found, after is not None)


def note_cut(rows: Rows[Any], one: str, many: str = "", *, more: str = "--limit or --all shows more") -> None:
    """Report on standard error that a list was cut; one, many: as in `counted`."""
    if rows.cut:
        shown = len(rows.shown)
        note(f"Only {counted(shown, one, many)} {'is' if shown == 1 else 'are'} shown; {more}.")
