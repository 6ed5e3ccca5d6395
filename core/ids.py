"""Identifiers: UUIDv7, so that ids sort by creation time."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562)."""
    return uuid7()
