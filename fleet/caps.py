"""Caps: how many jobs may run at once. They bind RUNNING jobs, and are counted under one lock at every claim."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.closed_sets import JobType

BACKTESTS = frozenset({JobType.BACKTEST})
IMPROVING = frozenset({JobType.IMPROVE, JobType.EVOLVE})  # EVOLVE counts as IMPROVE


@dataclass(frozen=True, slots=True)
class Caps:
    """Most jobs that may be RUNNING: backtests, improvements (EVOLVE included), all types together, one symbol's.

    per_symbol: None for no such cap.
    """

    max_backtests_running: int = 3
    max_improve_running: int = 2
    max_total_jobs: int = 6
    per_symbol: int | None = None

    def free(self, job_type: JobType, running: Mapping[JobType, int]) -> int:
        """Return how many more jobs of that type may start, given those that run; never below 0."""
        alike = IMPROVING if job_type in IMPROVING else frozenset({job_type})
        cap = self.max_improve_running if job_type in IMPROVING else self.max_backtests_running
        of_type = sum(count for kind, count in running.items() if kind in alike)
        return max(0, min(cap - of_type, self.max_total_jobs - sum(running.values())))
