"""Proof of what was planned: the planner's ticks with their counts, and what was decided of each bot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from services.planner.ticks import TickProof, tick_proof
from sql.queries.planner import ticks as queries

MOST_RUNS: Final = 50


@dataclass(frozen=True, slots=True)
class AutonomyProof:
    """The newest 50 ticks, newest first, and at the end the newest one that enqueued something, if older than those."""

    latest_run: TickProof | None
    runs: Sequence[TickProof]


def autonomy_proof(session: Session) -> AutonomyProof:
    """Return the proof, in two queries."""
    # The busy one first: a tick that comes between the two is then among the newest, and never the older one.
    busy = queries.newest_that_enqueued(session)
    found = list(queries.runs(session, limit=MOST_RUNS))
    if busy is not None and busy.id not in {run.id for run in found}:
        found.append(busy)
    runs = [tick_proof(run) for run in found]
    return AutonomyProof(runs[0] if runs else None, runs)
