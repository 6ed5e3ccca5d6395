"""The planner's terms, from settings: the same for its sensor and for a tick started by hand."""

from dataclasses import dataclass, field
from datetime import timedelta

from core.settings import AppEnv, Settings
from fleet.caps import Caps
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from services.supply.suppliers import suppliers_of


@dataclass(frozen=True, slots=True)
class PlannerTerms:
    """What the planner goes by besides the fleet: caps and cadences, who supplies bars, attempts at a job.

    development: imported bars are evidence for a promotion too.
    """

    caps: PlannerCaps = field(default_factory=PlannerCaps)
    suppliers: Suppliers = Suppliers()  # noqa: RUF009 - frozen
    max_attempts: int = 3
    development: bool = False


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
    )
    development = settings.app_env is AppEnv.DEVELOPMENT
    return PlannerTerms(caps, suppliers_of(settings), settings.max_attempts, development)
