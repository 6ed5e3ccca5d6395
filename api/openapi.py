"""The OpenAPI document, exact: every status a route may answer has the schema of what it answers."""

from threading import Lock
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

_VALIDATION = {"HTTPValidationError", "ValidationError"}
_ERROR = {"$ref": "#/components/schemas/ErrorBody"}
_EVERYWHERE = {
    "403": "Foreign Host or Origin, or insufficient role",
    "413": "Body over 1 MiB",
    "422": "An unknown query parameter",
    "500": "A defect",
}
_WITH_ACTOR = {"401": "No valid credentials", "503": "The database can't be reached or is busy"}

router = APIRouter(tags=["health"])


@router.get("/api/openapi.json", include_in_schema=False)
def show_document(request: Request) -> JSONResponse:
    """Show this document."""
    return JSONResponse(request.app.openapi())


def describe(app: FastAPI) -> None:
    """Let the application answer the exact document, made once.

    One thread makes it and the others wait: FastAPI silences warnings of the whole process meanwhile, and threads that
    do so at once give each other back filters that are not theirs.
    """
    one_at_a_time = Lock()

    def document() -> dict[str, Any]:
        with one_at_a_time:
            if app.openapi_schema is None:
                app.openapi_schema = _exact(
                    get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
                )
            return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _exact(document: dict[str, Any]) -> dict[str, Any]:
    """Replace FastAPI's own 422, which this API never answers, and add what the edge may answer anywhere."""
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            default = answers.get("422", {})
            if any(name in str(default) for name in _VALIDATION):
                del answers["422"]
            general = _EVERYWHERE if path == "/api/healthz" else _EVERYWHERE | _WITH_ACTOR
            for status, meaning in general.items():
                answers.setdefault(status, _error(meaning))
            for answer in answers.values():
                answer["headers"] = {"X-Trace-Id": {"schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}}
    for name in _VALIDATION & set(schemas):
        del schemas[name]
    return document


def _error(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": _ERROR}}}
