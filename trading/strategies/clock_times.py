"""Times of day as text parameters: "HH:MM" in exchange time."""

import re
from typing import Final

from core.errors import FieldProblem
from trading.strategies.base import Params

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def minute_of(text: str) -> int:
    """Return minutes after midnight, 0 to 1439, of a valid "HH:MM"."""
    return int(text[:2]) * 60 + int(text[3:])


def time_problems(params: Params, *names: str) -> list[FieldProblem]:
    """Say which of these fields are not times, or don't follow each other in the order given."""
    values = {name: getattr(params, name) for name in names}
    wrong = [
        FieldProblem(name, "time", f'{name} must be a time of day, "HH:MM".')
        for name, value in values.items()
        if not isinstance(value, str) or not _TIME.fullmatch(value)
    ]
    if wrong or list(values.values()) == sorted(values.values()):
        return wrong
    return [FieldProblem(names[0], "order", "Times must be in the order " + " <= ".join(names) + ".")]
