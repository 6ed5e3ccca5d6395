"""Query parameters that a route doesn't have are refused, with the nearest name; so is one that is given twice.

Ignored, a misspelt filter would list everything, and a `dryRun` in the wrong place would change something. Of
`stage=LAB&stage=PAPER` one value would be ignored: no parameter takes several.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant

from core.errors import ErrorCode, FieldProblem, GantryError

NEAREST: Final = 0.5  # of difflib's ratio, 0-1: "stgae" and "stage" are 0.8 alike


async def refuse_unknown_query(request: Request) -> None:
    """Refuse query parameters that the route doesn't have, and repeated ones; a dependency of the whole application.

    Raises:
        GantryError: VALIDATION_FAILED, with a problem for each of them.

    """
    if not request.url.query:
        return
    known = sorted(_names(request.scope["route"].dependant))
    times = Counter(name for name, _value in request.query_params.multi_items())
    unknown = [name for name in times if name not in known]
    if unknown:
        fix = f"This route takes {', '.join(known)}." if known else "This route takes no query parameters."
        raise _refusal((FieldProblem(name, "unknown_parameter", _sentence(name, known)) for name in unknown), fix=fix)
    repeated = [FieldProblem(name, "repeated", f"{name} is given {n} times.") for name, n in times.items() if n > 1]
    if repeated:
        raise _refusal(repeated, fix="Give each query parameter once; a list is filtered by one value of each.")


def _refusal(found: Iterable[FieldProblem], *, fix: str) -> GantryError:
    problems = tuple(found)
    return GantryError(ErrorCode.VALIDATION_FAILED, problems[0].message, fix=fix, details=problems)


def _sentence(name: str, known: Sequence[str]) -> str:
    nearest = max(known, key=lambda one: sum(_likeness(name, one)), default="")
    alike = _likeness(name, nearest)[0] >= NEAREST
    return f"Unknown query parameter {name}." + (f" Did you mean {nearest}?" if alike else "")


def _likeness(name: str, known: str) -> tuple[float, float]:
    """Return how alike two names are, 0-1: with their letters in order, and in any order ("stgae" is like "stage")."""
    matcher = SequenceMatcher(None, name.lower(), known)
    return matcher.ratio(), matcher.quick_ratio()


def _names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_names(one) for one in dependant.dependencies))
