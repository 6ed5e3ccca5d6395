"""Every failure as an envelope with its true status: domain errors, bad input, unknown paths, and defects."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from api.envelope import ErrorBody, FieldProblemBody
from api.etags import IfMatchMalformed, IfMatchMissing
from core.errors import ErrorCode, FieldProblem, GantryError, Kind, invalid
from services.bots.change import StaleRevision

STATUS_OF_KIND: Final[dict[Kind, int]] = {
    Kind.INVALID: 422,
    Kind.DENIED: 403,
    Kind.UNAUTHENTICATED: 401,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.UNAVAILABLE: 503,
    Kind.NOT_IMPLEMENTED: 501,
    Kind.TOO_LARGE: 413,
    Kind.RATE_LIMITED: 429,
    Kind.INTERNAL: 500,
}
_OF_STATUS: Final[dict[int, tuple[ErrorCode, str]]] = {
    400: (ErrorCode.VALIDATION_FAILED, "Send a well-formed request; see /api/openapi.json."),
    404: (ErrorCode.NOT_FOUND, "Look the path up in /api/openapi.json."),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "Use a method named in the Allow header."),
    413: (ErrorCode.PAYLOAD_TOO_LARGE, "Send at most 1 MiB."),
}
# By the part of the request that is wrong.
_FIX_OF: Final[Mapping[str, str]] = {
    "body": "Correct the fields in `details`; /api/openapi.json has the schema.",
    "query": "Correct the query parameters in `details`; /api/openapi.json lists those of each route.",
    "header": "Correct the headers in `details`; /api/openapi.json lists those of each route.",
}


class _Repeatable(JSONResponse):
    """An error repeats what was sent, and JSON may hold half a character (a lone surrogate), which UTF-8 can't."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class BadQuery(GantryError):  # noqa: N818 - named for what it is
    """A query parameter that can't be used: 400, where a wrong body is 422."""

    def __init__(self, field: str, message: str, *, fix: str) -> None:
        details = (FieldProblem(field, "invalid", message),)
        super().__init__(ErrorCode.VALIDATION_FAILED, message, fix=fix, details=details)


class UnknownQueryValue(GantryError):  # noqa: N818 - as above
    """A well-formed query parameter whose value isn't known, refused by a rule below the API: 400 as well."""


@contextmanager
def query_values() -> Iterator[None]:
    """Answer 400, not 422, for what a rule below the API refuses; everything it reads comes from the query.

    Raises:
        UnknownQueryValue: for a VALIDATION_FAILED raised within.

    """
    try:
        yield
    except BadQuery:
        raise
    except GantryError as error:
        if error.kind is not Kind.INVALID:
            raise
        raise UnknownQueryValue(error.code, error.message, fix=error.fix, details=error.details) from None


# What HTTP has a status of its own for.
_STATUS_OF_TYPE: Final[dict[type[GantryError], int]] = {
    BadQuery: 400,
    UnknownQueryValue: 400,
    IfMatchMalformed: 400,
    IfMatchMissing: 428,
    StaleRevision: 412,
}


def install(app: FastAPI) -> None:
    """Register the handlers; what none of them knows is a defect, answered by `api.edge`."""
    app.add_exception_handler(GantryError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_bad_input)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(DataError, _on_unstorable)


def error_response(
    status: int, error: ErrorBody, *, headers: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return an error as JSON."""
    return _Repeatable(error.model_dump() | dict(extra or {}), status, headers=dict(headers or {}))


def from_domain(error: GantryError, *, extra: Mapping[str, Any] | None = None) -> JSONResponse:
    """Map a domain error to its response; `extra` are fields beside the error's own."""
    status = _STATUS_OF_TYPE.get(type(error), STATUS_OF_KIND[error.kind])
    body = ErrorBody(
        error_code=error.code.value,
        message=error.message,
        suggested_fix=error.fix,
        details=[FieldProblemBody(field=d.field, code=d.code, message=d.message) for d in error.details],
    )
    headers = {401: {"WWW-Authenticate": "X-Admin-Token"}, 503: {"Retry-After": "1"}}.get(status)
    return error_response(status, body, headers=headers, extra=extra)


def internal_error() -> JSONResponse:
    """Answer for a defect: the trace id, and nothing of what happened."""
    body = ErrorBody(
        error_code=ErrorCode.INTERNAL.value,
        message="Something went wrong on our side.",
        suggested_fix="Look up the trace id in the log, and report it.",
    )
    return error_response(500, body)


def _on_domain_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GantryError)  # noqa: S101 - Starlette's handler type is wider than its call
    return from_domain(error)


def _on_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    code, fix = _OF_STATUS.get(error.status_code, (ErrorCode.INTERNAL, "Report the trace id."))
    message = {404: "There is nothing at this path.", 405: "This path does not support that method."}.get(
        error.status_code, error.detail or HTTPStatus(error.status_code).phrase
    )
    body = ErrorBody(error_code=code.value, message=message, suggested_fix=fix)
    return error_response(error.status_code, body, headers=error.headers)


def _on_unstorable(_request: Request, _error: Exception) -> JSONResponse:
    """A value Postgres can't hold, such as a text with a NUL character."""
    return from_domain(invalid("A value can't be stored.", fix="Send no control characters."))


def _on_bad_input(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    problems = error.errors()
    place = str(problems[0]["loc"][0])
    if place == "path":
        return _on_http_error(_request, HTTPException(404))
    malformed = any(problem["type"] == "json_invalid" for problem in problems)
    declared = _request.headers.get("content-type", "")
    if place == "body" and "json" not in declared.lower():
        return error_response(
            422,
            ErrorBody(
                error_code=ErrorCode.VALIDATION_FAILED.value,
                message=f"The body is declared as {declared or 'nothing'}, not as JSON.",
                suggested_fix="Send the header Content-Type: application/json.",
            ),
        )
    body = ErrorBody(
        error_code=ErrorCode.VALIDATION_FAILED.value,
        message="The body is not JSON." if malformed else _sentence(place, problems),
        suggested_fix=_FIX_OF.get(place, _FIX_OF["body"]),
        details=[_problem(problem, malformed=malformed) for problem in problems],
    )
    return error_response(422 if place == "body" and not malformed else 400, body)


def _sentence(place: str, problems: Any) -> str:
    if place == "query":
        return " ".join(f"Query parameter {_path(one['loc'])}: {one['msg']}." for one in problems)
    names = ", ".join(dict.fromkeys(_path(problem["loc"]) or place for problem in problems))
    return f"Invalid fields in the {place}: {names}."


def _problem(problem: Any, *, malformed: bool) -> FieldProblemBody:
    field = "" if malformed else _path(problem["loc"])
    return FieldProblemBody(field=field, code=str(problem["type"]), message=str(problem["msg"]))


def _path(loc: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in loc[1:])
