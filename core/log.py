"""Structured logs: one line a record, JSON in production, readable in development; always with the trace id."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from core.trace import current_trace_id


def _add_trace_id(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.setdefault("trace_id", current_trace_id())
    return event


def _to_standard_error(*_args: object) -> structlog.PrintLogger:
    """As it is at the moment of the record: it may have been put elsewhere since the logger was set up."""
    return structlog.PrintLogger(sys.stderr)


def configure_logging(*, json_lines: bool, level: int = logging.INFO) -> None:
    """Send structlog's records to standard error."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_trace_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_standard_error,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger bound to a component's name."""
    if not structlog.is_configured():
        # Its own default prints every frame's locals: seconds for one traceback, and secrets among them.
        configure_logging(json_lines=False)
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(component=name)
    return logger
