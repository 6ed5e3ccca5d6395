"""Replies that were kept for repeated requests."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from sql.tables.requests import IdempotencyKey

KEPT_FOR: Final = timedelta(hours=24)
PRUNE_LOCK: Final = 0x7072_756E  # "prun"


def try_lock_key(session: Session, actor: str, key: str) -> bool:
    """Take a key until the transaction ends; False while another request has it."""
    name = func.hashtextextended(f"{actor}\n{key}", 0)
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(name))))


def find(session: Session, actor: str, key: str) -> IdempotencyKey | None:
    """Return the reply that was kept under a key within the last 24 hours."""
    query = select(IdempotencyKey).where(
        IdempotencyKey.actor == actor,
        IdempotencyKey.key == key,
        IdempotencyKey.created_at > func.now() - KEPT_FOR,
    )
    return session.scalars(query).one_or_none()


def keep(session: Session, row: dict[str, Any]) -> None:
    """Keep a reply under a key that this transaction has taken, in place of one that is too old."""
    stale = delete(IdempotencyKey).where(IdempotencyKey.actor == row["actor"], IdempotencyKey.key == row["key"])
    session.execute(stale.execution_options(synchronize_session=False))
    session.execute(insert(IdempotencyKey), [row])


def prune(session: Session) -> None:
    """Drop replies older than 24 hours, unless another request is at it: two would wait for each other's rows."""
    if session.scalar(select(func.pg_try_advisory_xact_lock(PRUNE_LOCK))):
        old = delete(IdempotencyKey).where(IdempotencyKey.created_at <= func.now() - KEPT_FOR)
        session.execute(old.execution_options(synchronize_session=False))
