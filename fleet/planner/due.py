"""A job that a bot is due for, and why."""

from dataclasses import dataclass
from datetime import datetime

from fleet.closed_sets import BacktestKind, DueReason, JobType
from fleet.jobs import Retry


@dataclass(frozen=True, slots=True)
class Due:
    """A job that a bot is due for. since: it has waited from then on. retry: of a lost job, else a new root."""

    job_type: JobType
    kind: BacktestKind | None
    reason: DueReason
    since: datetime
    retry: Retry | None = None
