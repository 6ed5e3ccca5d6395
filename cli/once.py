"""A command that may be sent again: under the same key it does its work once, as a POST of the API does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.actor import OPERATOR
from core.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        help="The same command under the same key does its work once, and prints the first answer again for 24 hours.",
    ),
]


def once(
    session: Session, key: str | None, *, route: str, path: str, status: int, work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return what work answers, or what it answered under this key before.

    route: of the API, which keys belong to; path: the same for one bot.

    Raises:
        GantryError: VALIDATION_FAILED for a key that can't be one, or was another request's; CONFLICT while that works.

    """
    from services.idempotency import hash_of, keep, key_of, recall

    if key is None:
        return work()
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise invalid(
            "The key must have 1 to 255 printable characters.", fix="Choose another key.", field="idempotency-key"
        )
    request_hash, kept_under = hash_of("POST", path), key_of("POST", route, key)
    kept = recall(session, OPERATOR, kept_under, request_hash=request_hash)
    if kept is not None:
        return kept.body
    body = work()
    keep(session, OPERATOR, kept_under, request_hash=request_hash, status=status, body=body, headers={})
    return body
