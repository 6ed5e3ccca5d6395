"""A bot's way through the stages: which change leads from where to where."""

from enum import StrEnum
from itertools import pairwise
from typing import Final

from core.errors import ErrorCode, GantryError, Kind
from fleet.closed_sets import Stage

ORDER: Final = (Stage.LAB, Stage.PAPER, Stage.SHADOW, Stage.CANARY, Stage.LIVE)


class StageChange(StrEnum):
    """What changed the stage: `event_type` of the stage events."""

    CREATED = "CREATED"
    PROMOTED = "PROMOTED"
    DEMOTED = "DEMOTED"
    REVERTED_TO_LAB = "REVERTED_TO_LAB"


# None is where a bot comes from before it is created. A revert of a bot in LAB changes nothing but is audited.
STAGE_TRANSITIONS: Final[dict[StageChange, dict[Stage | None, Stage]]] = {
    StageChange.CREATED: {None: Stage.LAB},
    StageChange.PROMOTED: dict(pairwise(ORDER)),
    StageChange.DEMOTED: dict(pairwise(reversed(ORDER))),
    StageChange.REVERTED_TO_LAB: dict.fromkeys(ORDER, Stage.LAB),
}


def is_legal_stage(change: StageChange, current: Stage | None, following: Stage) -> bool:
    """Whether that change leads from the one stage (None: not created yet) to the other."""
    return STAGE_TRANSITIONS[change].get(current) is following


def check_stage(change: StageChange, current: Stage | None, following: Stage) -> None:
    """Let a legal change of stage pass.

    Raises:
        GantryError: CONFLICT for any other: promotion and demotion go one stage at a time, a revert to LAB.

    """
    if is_legal_stage(change, current, following):
        return
    there = STAGE_TRANSITIONS[change].get(current)
    came_from = current or "outside"
    raise GantryError(
        ErrorCode.CONFLICT,
        f"{change} doesn't lead from {came_from} to {following}.",
        fix=f"{change} leads from {came_from} to {there}." if there else f"{change} is not possible from {came_from}.",
        kind=Kind.CONFLICT,
        facts={"change": change.value, "from": current.value if current else None, "to": following.value},
    )
