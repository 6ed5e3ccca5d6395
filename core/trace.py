"""Trace ids: 32 lowercase hex digits, from W3C `traceparent` when a valid one came in, else new.

The id of the work at hand lives in a context variable; logs, ledger rows, events and run tags read it there.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$")
_TRACE_ID = re.compile(r"^[0-9a-f]{32}$")
_current: ContextVar[str | None] = ContextVar("gantry_trace_id", default=None)


def new_trace_id() -> str:
    """Return 32 random lowercase hex digits, never all zero."""
    return secrets.token_hex(16)


def is_trace_id(text: str) -> bool:
    """Whether the text is a usable trace id."""
    return bool(_TRACE_ID.match(text)) and set(text) != {"0"}


def from_traceparent(header: str | None) -> str | None:
    """Return the trace id of a valid W3C traceparent header, else None."""
    match = _TRACEPARENT.match(header.strip()) if header else None
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return match[1]


def current_trace_id() -> str:
    """Return the trace id of the work at hand; one is made, and kept, where none was set."""
    trace_id = _current.get()
    if trace_id is None:
        trace_id = new_trace_id()
        _current.set(trace_id)
    return trace_id


@contextmanager
def tracing(trace_id: str | None = None) -> Iterator[str]:
    """Run a block under this trace id (a new one by default)."""
    token = _current.set(trace_id or new_trace_id())
    try:
        yield current_trace_id()
    finally:
        _current.reset(token)
