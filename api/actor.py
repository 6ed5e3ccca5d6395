"""Who is calling: an id and a role, by dependency in every route."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated

from fastapi import Depends, Header, Request

from core.errors import ErrorCode, GantryError, Kind
from core.settings import AppEnv, Settings
from fleet.roles import Caller, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a request; `id` is what audit rows and events name.

    credentials: known by a token, not only by sitting at this machine.
    """

    id: str
    role: Role
    credentials: bool = False

    def as_caller(self) -> Caller:
        """Return who requests a change of stage."""
        return Caller(self.id, self.role, credentials=self.credentials)


def identify(settings: Settings, *, admin_token: str | None, client_host: str | None) -> Actor:
    """Return the caller: an admin by token, or, in development only, the operator on this machine.

    Raises:
        GantryError: UNAUTHENTICATED for a wrong token, or without one from elsewhere or in production.

    """
    if admin_token is not None:
        expected = settings.admin_token.get_secret_value().encode()
        if compare_digest(admin_token.encode(), expected):
            return Actor("admin:token", Role.ADMIN, credentials=True)
        raise _unauthenticated("The X-Admin-Token is wrong.")
    if settings.app_env is AppEnv.DEVELOPMENT and is_loopback(client_host):
        return Actor("operator:local", Role.OPERATOR)
    raise _unauthenticated("This request carries no credentials.")


def is_loopback(host: str | None) -> bool:
    """Whether a caller's address is this machine's."""
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unauthenticated(message: str) -> GantryError:
    return GantryError(
        ErrorCode.UNAUTHENTICATED,
        message,
        fix="Send the value of ADMIN_TOKEN in the header X-Admin-Token.",
        kind=Kind.UNAUTHENTICATED,
    )


def _at_least(role: Role) -> Callable[[Request, str | None], Actor]:
    def caller(request: Request, x_admin_token: Annotated[str | None, Header()] = None) -> Actor:
        host = request.client.host if request.client else None
        actor = identify(request.app.state.settings, admin_token=x_admin_token, client_host=host)
        if actor.role < role:
            raise GantryError(
                ErrorCode.FORBIDDEN,
                f"This needs the role {role.name}; you are {actor.role.name}.",
                fix="Ask someone with that role.",
                kind=Kind.DENIED,
            )
        return actor

    return caller


Reader = Annotated[Actor, Depends(_at_least(Role.VIEWER))]
Operator = Annotated[Actor, Depends(_at_least(Role.OPERATOR))]
Admin = Annotated[Actor, Depends(_at_least(Role.ADMIN))]
