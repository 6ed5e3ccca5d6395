"""Rounds of the planner and of the other loops, as Dagster's daemon makes them."""

from core.settings import Settings
from fleet.caps import Caps
from fleet.closed_sets import TickCause
from fleet.loops import loops
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from services.planner.loops import round_of
from services.planner.terms import PlannerTerms
from services.planner.tick import Tick, run_tick
from sql.engine import Transactions

TERMS = PlannerTerms(PlannerCaps(Caps(3, 2, 6)), Suppliers("simulator", can=True))
LOOPS = loops(Settings().planner_tick_seconds)


def tick(tx: Transactions, cause: TickCause = TickCause.CLOCK) -> Tick:
    """Plan once."""
    made = run_tick(tx, TERMS, cause=cause)
    assert made is not None
    return made


def go_round(tx: Transactions, *names: str) -> None:
    """Let loops go round once, all of them unless some are named."""
    for name in names or LOOPS:
        with round_of(tx, name, every_s=LOOPS[name]) as this:
            this.message = f"{name} went round"
