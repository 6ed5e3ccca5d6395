"""Requests that are sent twice: the first reply is kept with the work it describes, and sent again."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind, invalid
from core.trace import current_trace_id
from sql.queries import idempotency as queries

WAIT_S: Final = 2.0
POLL_S: Final = 0.05
HEADER: Final = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class KeptReply:
    """What was answered: status, body, headers, and the trace of the request that did the work."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    trace_id: str


def key_of(method: str, route: str, sent: str) -> str:
    """Return the key as it is kept: one belongs to a route, so that the same key for two bots is refused as a mistake.

    route: its template, with names for what varies. sent: the key that came with the request.
    """
    return f"{method} {route} {sent}"


def hash_of(method: str, path: str, body: bytes = b"") -> str:
    """Return what tells requests under one key apart: SHA-256 of method, path and body."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def recall(session: Session, actor: str, key: str, *, request_hash: str) -> KeptReply | None:
    """Take a key; return the reply kept under it, None when there is none: then do the work and `keep` its reply.

    A request under the same key that is still at work is waited for, two seconds at most (a unit).

    Raises:
        GantryError: CONFLICT when it is at work even then; VALIDATION_FAILED when the key was another request's.

    """
    give_up_at = time.monotonic() + WAIT_S
    while not queries.try_lock_key(session, actor, key):
        if time.monotonic() >= give_up_at:
            raise GantryError(
                ErrorCode.CONFLICT,
                f"The first request with this {HEADER} is still being processed.",
                fix="Send the request again in a few seconds to get its reply.",
                kind=Kind.CONFLICT,
            )
        time.sleep(POLL_S)
    found = queries.find(session, actor, key)
    if found is None:
        return None
    if found.request_hash != request_hash:
        raise invalid(
            f"This {HEADER} belongs to another request.",
            fix="Send a new key with each new request, and the same key only with the same request.",
            field=HEADER,
        )
    return KeptReply(found.status, found.reply, found.headers, found.trace_id)


def keep(
    session: Session, actor: str, key: str, *, request_hash: str, status: int, body: object, headers: Mapping[str, str]
) -> None:
    """Keep a reply for 24 hours, in the transaction of the work it describes; older ones are dropped (a unit)."""
    row = {
        "actor": actor,
        "key": key,
        "request_hash": request_hash,
        "status": status,
        "reply": body,
        "headers": dict(headers),
        "trace_id": current_trace_id(),
    }
    queries.prune(session)
    queries.keep(session, row)
