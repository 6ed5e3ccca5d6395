"""Who a command acts as: the id that audit rows and events name."""

from typing import Final

from fleet.roles import Caller, Role

OPERATOR: Final = "operator:cli"
ADMIN: Final = "admin:cli"


def caller() -> Caller:
    """Return who requests a change of stage; a local user has no credentials."""
    return Caller(OPERATOR, Role.OPERATOR)
