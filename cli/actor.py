"""Who a command acts as: the id that audit rows and events name."""

from typing import Final

from fleet.roles import Caller, Role

OPERATOR: Final = "operator:cli"
ADMIN: Final = "admin:cli"


def caller() -> Caller:
    """Return who asks for a change of stage; whoever sits at this machine shows no credentials."""
    return Caller(OPERATOR, Role.OPERATOR)
