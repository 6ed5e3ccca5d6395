"""Rounds of loops, by the database's clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Float, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from sql.tables.planner import LoopTick


class LoopAge(NamedTuple):
    """A loop's last round, and how long ago it was."""

    loop: str
    every_s: float
    ticked_at: datetime
    age_s: float
    took_s: float
    message: str
    error: str | None


def note(session: Session, loop: str, *, every_s: float, took_s: float, message: str, error: str | None) -> None:
    """Write a round over the one before."""
    values: dict[str, Any] = {"every_s": every_s, "took_s": took_s, "message": message, "error": error}
    values["ticked_at"] = func.clock_timestamp()
    query = insert(LoopTick).values(loop=loop, **values)
    session.execute(query.on_conflict_do_update(index_elements=[LoopTick.loop], set_=values))


def ages(session: Session) -> Sequence[LoopAge]:
    """Return every loop that ever went round."""
    age = cast(func.extract("epoch", func.clock_timestamp() - LoopTick.ticked_at), Float)
    query = select(
        LoopTick.loop, LoopTick.every_s, LoopTick.ticked_at, age, LoopTick.took_s, LoopTick.message, LoopTick.error
    ).order_by(LoopTick.loop)
    return [LoopAge(*row) for row in session.execute(query)]
