"""The outermost layer: trace id, security headers, body limit, Host and Origin, and the generic answer to a defect."""

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.envelope import ErrorBody
from api.errors import error_response, internal_error
from core.errors import ErrorCode
from core.log import get_logger
from core.settings import AppEnv, Settings
from core.trace import from_traceparent, tracing

MAX_BODY_BYTES = 1 << 20
_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
_TOO_LARGE = "The body is larger than 1 MiB."


class Edge:
    """ASGI middleware; pure, so that the trace id set here is seen by routes that run on threads."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own signature
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with tracing(from_traceparent(headers.get("traceparent"))) as trace_id:
            reply = _Reply(send, trace_id)
            began = time.perf_counter()
            try:
                refusal = self._refusal(headers)
                app = self.app if refusal is None else refusal
                await app(scope, _limited(receive), reply)
            except Exception:
                get_logger("api").exception("request_failed", method=scope["method"], path=scope["path"])
                if reply.status:
                    raise  # half an answer is out: dropping the connection is the only honest end
                await internal_error()(scope, receive, reply)
            finally:
                get_logger("api").info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=reply.status,
                    ms=round((time.perf_counter() - began) * 1000, 1),
                )

    def _refusal(self, headers: Headers) -> ASGIApp | None:
        """Refuse what must not even reach a route: a foreign Host or Origin in development, a body too large."""
        if self.settings.app_env is AppEnv.DEVELOPMENT and not _is_local(headers):
            body = ErrorBody(
                error_code=ErrorCode.FORBIDDEN.value,
                message="In development, only requests to and from this machine are accepted.",
                suggested_fix="Call http://localhost or http://127.0.0.1, not from another site.",
            )
            return error_response(403, body)
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > MAX_BODY_BYTES:
            body = ErrorBody(
                error_code=ErrorCode.PAYLOAD_TOO_LARGE.value,
                message=_TOO_LARGE,
                suggested_fix="Send at most 1 MiB.",
            )
            return error_response(413, body)
        return None


@dataclass(slots=True)
class _Reply:
    """Stamps the response's head, and remembers its status (0: none sent yet)."""

    send: Send
    trace_id: str
    status: int = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Trace-Id", self.trace_id)  # a reply given again has the first request's
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Cache-Control"] = "no-store"
            headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        await self.send(message)


def _limited(receive: Receive) -> Receive:
    """Count what arrives: a chunked body states no length."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return counted


def _is_local(headers: Headers) -> bool:
    """Whether Host, and Origin when there is one, name this machine: a web page elsewhere can't (DNS rebinding)."""
    urls = [f"//{headers.get('host', '')}", *headers.getlist("origin")]
    try:
        return all(urlsplit(url).hostname in _LOCAL_NAMES for url in urls)
    except ValueError:
        return False
