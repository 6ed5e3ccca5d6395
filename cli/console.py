"""What commands say: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

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
    """Print a value as JSON: ids and money as strings, times in RFC 3339."""
    say(json.dumps(value, indent=2, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal | UUID | Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)
