"""Queries of the sessions that a person took in though they fail."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from sql.tables.bars import AcceptedSession


def accepted_sessions(session: Session) -> Mapping[str, Mapping[str, str]]:
    """Return, by symbol and day (YYYY-MM-DD), why a session was accepted."""
    found: dict[str, dict[str, str]] = {}
    for row in session.scalars(select(AcceptedSession)):
        found.setdefault(row.symbol, {})[row.session_on.isoformat()] = row.reason
    return found
