"""The terms under which jobs are held and worked on."""

from dataclasses import dataclass
from typing import Final

from core.settings import Settings
from fleet.caps import Caps
from fleet.grading_bars import MIN_SESSIONS
from fleet.planner.bars_outlook import Suppliers
from integrations.ports import ProposalSource
from services.jobs.lease import LeaseTerms
from trading.improve.limits import Budget

MAX_JOB_MINUTES: Final = 30
WAIT_ELSEWHERE_S: Final = 1_800.0
CHUNK: Final = 32  # bots graded between two transactions


@dataclass(frozen=True, slots=True)
class GradeTerms:
    """How jobs are held: leases, attempts, caps, and how long a job that runs elsewhere is waited for.

    only_missing: a bot that was backtested in its present epoch and version gets no new job: it ended as that did.
    suppliers: of bars; noted on each job, so that the planner knows when others could make a difference.
    improve: what one improvement may spend, and what a change must show. proposals: a further source of an
    evolution's candidates; None: off. min_sessions: of real bars, from which on bots are graded on them.
    """

    lease: LeaseTerms = LeaseTerms()  # noqa: RUF009 - frozen
    max_attempts: int = 3
    wait_elsewhere_s: float = WAIT_ELSEWHERE_S
    caps: Caps = Caps()  # noqa: RUF009 - frozen
    chunk: int = CHUNK
    max_job_minutes: int = MAX_JOB_MINUTES
    suppliers: Suppliers = Suppliers()  # noqa: RUF009 - frozen
    only_missing: bool = False
    improve: Budget = Budget()  # noqa: RUF009 - frozen
    proposals: ProposalSource | None = None
    min_sessions: int = MIN_SESSIONS


def improve_budget_of(settings: Settings) -> Budget:
    """Return what one improvement may spend."""
    return Budget(sets=settings.improve_sets, folds=settings.improve_folds)
