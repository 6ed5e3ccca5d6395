"""The database's clock."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def database_time(session: Session) -> datetime:
    """Return the database's clock, now."""
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now
