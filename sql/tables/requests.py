"""Replies kept for requests that may be sent again: one row per actor and Idempotency-Key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, PrimaryKeyConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from sql.tables.base import Base


class IdempotencyKey(Base):
    """The reply to the first request under a key, written in the transaction that did the work."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (PrimaryKeyConstraint("actor", "key"), Index(None, "created_at"))

    actor: Mapped[str]
    key: Mapped[str]
    request_hash: Mapped[str]  # sha-256 of method, path and body: the same key on another request is refused
    status: Mapped[int]
    reply: Mapped[dict[str, Any]]
    headers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
