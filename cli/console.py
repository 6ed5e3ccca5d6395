"""Console output: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel

from core.errors import GantryError


def say(text: str = "") -> None:
    """Print a line of the result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Print a line about the work (progress, warnings) on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show_error(error: GantryError) -> None:
    """Print a failure as one line: code, message, fix; then a line for each field that is wrong."""
    note(str(error))
    for problem in error.details:
        if problem.message != error.message:
            note(f"  {problem.field}: {problem.message}")


def print_json(value: object) -> None:
    """Print a value as JSON: a shape as the API answers it, ids and money as strings, times in RFC 3339."""
    say(json_text(value))


def json_text(value: object, *, indent: int | None = 2) -> str:
    """Return a value as JSON. indent: None for one line."""
    return json.dumps(value, indent=indent, default=_plain)


def _plain(value: object) -> object:
    match value:
        case BaseModel():
            plain: object = value.model_dump(mode="json", by_alias=True)
        case datetime():
            plain = value.isoformat().replace("+00:00", "Z")
        case Decimal() | UUID() | Path():
            plain = str(value)
        case Enum():
            plain = value.value
        case _ if is_dataclass(value) and not isinstance(value, type):
            plain = asdict(value)
        case Mapping():
            plain = dict(value)
        case Sequence():
            plain = list(value)
        case _:
            message = f"{type(value).__name__} has no JSON form"
            raise TypeError(message)
    return plain
