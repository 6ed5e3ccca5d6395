"""Options and arguments shared by several commands, and how their texts are parsed."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from core.errors import invalid

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the effect and change nothing.")]
OneBot = Annotated[str, typer.Argument(metavar="BOT", help="A bot's id or name.")]
OneSymbol = Annotated[str | None, typer.Option(help="Only this symbol, such as ES.")]


class Stamped(StrEnum):
    """Which moment of a bar its time names."""

    OPEN = "open"
    CLOSE = "close"


class Covered(StrEnum):
    """Which part of each session a file covers."""

    ALL = "all"
    RTH = "rth"


HOURS_IN_WORDS = {Covered.ALL: "whole sessions", Covered.RTH: "the day session alone (--hours rth)"}
TimeZone = Annotated[
    str | None, typer.Option("--tz", help="Time zone of times that state none, such as UTC or America/New_York.")
]
SIMULATED_IN_WORDS = "These bars are SIMULATED: the figures say nothing about any market."
EpochTimeZone = Annotated[
    str | None,
    typer.Option("--epoch-tz", help="Zone of the clock that counts since 1970 were made from; UTC if unset."),
]
StampOption = Annotated[Stamped, typer.Option("--stamp", help="What a bar's time names.")]
HoursOption = Annotated[Covered, typer.Option("--hours", help="rth: the file holds the day session alone.")]
Member = TypeVar("Member", bound=StrEnum)


def member_of(closed_set: type[Member], text: str, *, field: str) -> Member:
    """Read a member of a closed set; field: what it is called, such as "stage".

    Raises:
        GantryError: VALIDATION_FAILED for any other text.

    """
    try:
        return closed_set(text)
    except ValueError:
        raise invalid(f"Unknown {field} {text!r}.", fix=f"Use one of {', '.join(closed_set)}.", field=field) from None


def parameters_of(texts: Sequence[str]) -> dict[str, object]:
    """Read K=V texts.

    Raises:
        GantryError: VALIDATION_FAILED for one without a name or an equals sign, or a name that is given twice.

    """
    found: dict[str, object] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not name or not separator:
            raise invalid(f"--param {text!r} isn't k=v.", fix="Use --param fast=20.", field="param")
        if name in found:
            raise invalid(f"--param {name} is given twice.", fix="Give each parameter once.", field=name)
        found[name] = value
    return found
