"""The planner's terms, from settings: the same for its sensor and for a tick started by hand."""

from dataclasses import dataclass, field
from datetime import timedelta

from core.settings import AppEnv, Settings
from fleet.caps import Caps
from fleet.grading_bars import MIN_SESSIONS
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from services.jobs.terms import improve_budget_of
from services.supply.suppliers import suppliers_of


@dataclass(frozen=True, slots=True)
class PlannerTerms:
    """What the planner goes by besides the fleet: caps and cadences, who supplies bars, attempts at a job.

    development: imported bars are evidence for a promotion too. min_sessions: of real bars, from which on bots are
    graded on them.
    """

    caps: PlannerCaps = field(default_factory=PlannerCaps)
    suppliers: Suppliers = Suppliers()  # noqa: RUF009 - frozen
    max_attempts: int = 3
    development: bool = False
    min_sessions: int = MIN_SESSIONS


def caps_of(settings: Settings) -> Caps:
    """Return the caps on running jobs."""
    return Caps(
        settings.max_backtests_running,
        settings.max_improve_running,
        settings.max_total_jobs,
        settings.max_running_per_symbol,
    )


def planner_terms_of(settings: Settings) -> PlannerTerms:
    """Return what the planner goes by."""
    caps = PlannerCaps(
        running=caps_of(settings),
        baseline_max_age=timedelta(hours=settings.baseline_max_age_hours),
        min_trades_for_improve=settings.min_trades_for_improve,
        improve_cadence=timedelta(minutes=settings.improve_cadence_minutes),
        evolve_after=settings.evolve_after_rounds,
        improve=improve_budget_of(settings),
    )
    development = settings.app_env is AppEnv.DEVELOPMENT
    min_sessions = settings.min_sessions_for_grading
    return PlannerTerms(caps, suppliers_of(settings), settings.max_attempts, development, min_sessions)
