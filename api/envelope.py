"""The envelope of every JSON response: `success`, `trace_id`, and data or an error. Names are CONTRACTS' exact ones."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from core.trace import current_trace_id
from shapes.base import Model

Item = TypeVar("Item")
TraceId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Envelope(Model):
    """A success. The trace id finds the request in logs, ledger rows and events."""

    success: Literal[True] = True
    trace_id: TraceId = Field(default_factory=current_trace_id)


class PageBody(Model):
    """Where a list continues: null at its end."""

    next_cursor: str | None
    limit: int


class ListOf(Envelope, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    page: PageBody


class OneOf(Envelope, Generic[Item]):
    """One object."""

    data: Item


class FieldProblemBody(Model):
    """One field that is wrong."""

    field: str
    code: str
    message: str


class ErrorBody(Model):
    """A failure: a stable code, what happened, what to do."""

    success: Literal[False] = False
    trace_id: TraceId = Field(default_factory=current_trace_id)
    error_code: str
    message: str
    suggested_fix: str
    details: list[FieldProblemBody] = Field([])


def responses(*statuses: int, **models: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Describe, for OpenAPI, the failures a route may answer besides those every route may."""
    described: dict[int | str, dict[str, Any]] = {status: {"model": ErrorBody} for status in statuses}
    for name, model in models.items():
        described[int(name.removeprefix("status_"))] = {"model": model}
    return described
