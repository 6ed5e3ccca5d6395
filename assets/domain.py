"""What every asset, check and sensor works with: the transaction factory and the store of bars."""

from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.store import BarsStore
from services.backtests.chunk import GradedBot
from services.jobs.terms import GradeTerms
from services.planner.terms import PlannerTerms
from services.supply.top_up import Supply
from services.work.pull import IDLE_S
from sql.engine import Transactions


def _ignore(_bot: GradedBot) -> None:
    return


@dataclass(frozen=True, slots=True)
class Domain:
    """Resource `domain`.

    actor: the actor written to rows. on_graded: called with each bot as it ends. terms: how jobs are held.
    supply: where missing bars come from. max_workers: worker runs for backtests at once; one more improves.
    planner: the terms on which bots get their work. idle_s: seconds without work after which a worker run ends.
    """

    tx: Transactions
    store: BarsStore
    actor: str = "dagster"
    on_graded: Callable[[GradedBot], None] = field(default=_ignore)
    terms: GradeTerms = field(default_factory=GradeTerms)
    supply: Supply = field(default_factory=Supply)
    max_workers: int = 2
    planner: PlannerTerms = field(default_factory=PlannerTerms)
    idle_s: float = IDLE_S
