"""Idempotency-Key: a mutating POST that is sent again with the same key answers the same, and does nothing."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api.actor import Operator
from api.database import Db
from api.envelope import Envelope
from core.errors import invalid
from services import idempotency
from services.idempotency import KeptReply

Reply = TypeVar("Reply", bound=Envelope)
_HEADERS: Final = ("Location", "ETag")
_NOTHING: Final = (b"", b"{}", b"null")
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern="^[ -~]+$",
        description="Up to 255 printable characters. The same request under the same key answers the first reply again "
        "for 24 hours, with the header `Idempotency-Replayed: true`; another request under it is refused.",
    ),
]


class Replayed(Exception):  # noqa: N818 - named for what it is
    """The work was done by an earlier request, whose reply is answered instead."""

    def __init__(self, reply: KeptReply) -> None:
        super().__init__("an earlier reply is answered again")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Recalled:
    """A request that may be sent again; without a key it is like any other."""

    session: Session
    actor: str
    key: str | None
    request_hash: str

    def answer(self, reply: Reply, response: Response, *, status: int) -> Reply:
        """Return the reply, kept for a request like this one."""
        if self.key is not None:
            idempotency.keep(
                self.session,
                self.actor,
                self.key,
                request_hash=self.request_hash,
                status=status,
                body=reply.model_dump(mode="json", by_alias=True),
                headers={name: response.headers[name] for name in _HEADERS if name in response.headers},
            )
        response.status_code = status
        return reply


def replay(_request: Request, replayed: Exception) -> JSONResponse:
    """Answer as the first time: the trace id is that of the request that did the work."""
    assert isinstance(replayed, Replayed)  # noqa: S101 - Starlette's handler type is wider than its call
    reply = replayed.reply
    again = {"Idempotency-Replayed": "true", "X-Trace-Id": reply.trace_id}
    return JSONResponse(reply.body, reply.status, headers={**reply.headers, **again})


async def _body(request: Request) -> bytes:
    return await request.body()


def _kept(
    request: Request,
    actor: Operator,
    session: Db,
    body: Annotated[bytes, Depends(_body)],
    idempotency_key: IdempotencyKey = None,
) -> Recalled:
    """Take the key before the work; a reply under it ends the request here."""
    if body.strip() not in _NOTHING and request.scope["route"].body_field is None:
        raise invalid("This route takes no body.", fix="Send no body: it would be ignored.", field="body")
    request_hash = idempotency.hash_of(request.method, request.url.path, body)
    if idempotency_key is None and "idempotency-key" in request.headers:
        raise invalid(
            "Idempotency-Key is empty.", fix="Send 1 to 255 characters, or leave it out.", field="Idempotency-Key"
        )
    key = None
    if idempotency_key is not None:
        key = idempotency.key_of(request.method, request.scope["route"].path, idempotency_key)
    kept = Recalled(session, actor.id, key, request_hash)
    if key is not None:
        reply = idempotency.recall(session, actor.id, key, request_hash=request_hash)
        if reply is not None:
            raise Replayed(reply)
    return kept


Once = Annotated[Recalled, Depends(_kept)]
