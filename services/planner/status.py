"""Whether the fleet is being looked after: its loops as they stand, their daemon, and the planner's last tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import Final

from sqlalchemy.orm import Session

from fleet.loops import LoopState
from services.planner.loops import LoopHealth, health_of, late_after_s
from services.planner.ticks import TickProof, newest_tick
from sql.queries.planner import loops as queries

PLANNER: Final = "autonomy_tick"
NO_ROUND: Final = "No sensor of Dagster's daemon has run yet."
NO_TICK: Final = "The planner has not run yet."
NO_BREAKERS: Final = "Nothing trades yet, so there are no circuit breakers."


@dataclass(frozen=True, slots=True)
class DaemonHealth:
    """Dagster's daemon, judged by the loops it drives: healthy while any ran as recently as the quickest must.

    last_heartbeat_at: the newest round of any loop; without one null. reason: why it isn't healthy, else null.
    """

    last_heartbeat_at: datetime | None
    healthy: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class SchedulerStatus:
    """active: the daemon and the planner's loop go round, its last round went well. loop_health: the worst of all."""

    active: bool
    last_tick_at: datetime | None
    loop_health: LoopState
    daemon: DaemonHealth
    loops: Sequence[LoopHealth]
    last_run: TickProof | None


def scheduler_status(session: Session, expected: Mapping[str, float]) -> SchedulerStatus:
    """Return how the loops stand, in two queries; expected: seconds between rounds by loop (`fleet.loops`)."""
    return judged(health_of(queries.ages(session), dict(expected)), newest_tick(session))


def judged(loops: Sequence[LoopHealth], last_run: TickProof | None) -> SchedulerStatus:
    """Judge the loops together."""
    planner = next((loop for loop in loops if loop.loop == PLANNER), None)
    rounds = [loop.last_tick_at for loop in loops if loop.last_tick_at is not None]
    newest_s = min((loop.age_s for loop in loops if loop.age_s is not None), default=inf)
    daemon = DaemonHealth(
        max(rounds, default=None),
        newest_s <= late_after_s(min((loop.every_s for loop in loops), default=0.0)),
        None,
    )
    if not daemon.healthy:
        daemon = replace(daemon, reason=f"No sensor has run for {newest_s:.0f} s." if rounds else NO_ROUND)
    return SchedulerStatus(
        active=daemon.healthy and planner is not None and planner.health is LoopState.OK,
        last_tick_at=planner.last_tick_at if planner else None,
        loop_health=worst(loops),
        daemon=daemon,
        loops=loops,
        last_run=last_run,
    )


def worst(loops: Sequence[LoopHealth]) -> LoopState:
    """Return the worst health among loops; one that never went round is worse than one that stopped."""
    return max((loop.health for loop in loops), key=list(LoopState).index, default=LoopState.NEVER)
