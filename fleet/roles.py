"""What a caller may do."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Role(IntEnum):
    """What a caller may do; a higher role may do what a lower one may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for a change of stage.

    id: what audit rows name. credentials: known by token or session; False for a local user.
    automatic: a loop and no person.
    """

    id: str
    role: Role
    credentials: bool = False
    automatic: bool = False


PLANNER: Final = Caller("planner", Role.OPERATOR, automatic=True)
