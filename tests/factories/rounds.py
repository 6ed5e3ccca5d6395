"""Rounds of the planner and of the other loops, as Dagster's daemon makes them."""

from datetime import UTC, datetime

from core.settings import Settings
from fleet.caps import Caps
from fleet.closed_sets import TickCause
from fleet.loops import loops
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from services.planner.loops import LATE_AFTER, SLACK_S, round_of
from services.planner.status import PLANNER
from services.planner.terms import PlannerTerms
from services.planner.tick import Tick, run_tick
from sql.engine import Transactions
from sql.queries.planner.loops import LoopAge

TERMS = PlannerTerms(PlannerCaps(Caps(3, 2, 6)), Suppliers("simulator", can=True))
AT, EVERY_S = datetime(2024, 3, 1, 12, tzinfo=UTC), 10.0
LATE_S = LATE_AFTER * EVERY_S + SLACK_S
LOOPS = loops(Settings().planner_tick_seconds)


def tick(tx: Transactions, cause: TickCause = TickCause.CLOCK) -> Tick:
    """Plan once."""
    made = run_tick(tx, TERMS, cause=cause)
    assert made is not None
    return made


def go_round(tx: Transactions, *names: str) -> None:
    """Run loops once, all of them unless some are named."""
    for name in names or LOOPS:
        with round_of(tx, name, every_s=LOOPS[name]) as this:
            this.message = f"{name} went round"


def age(age_s: float = 1.0, *, loop: str = PLANNER, error: str | None = None) -> LoopAge:
    """How a loop that is due every EVERY_S went, read so many seconds later."""
    return LoopAge(loop, EVERY_S, AT, age_s, 0.1, "message", error)
