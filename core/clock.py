"""The wall clock, read at edges only; everything else takes `now` as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)
