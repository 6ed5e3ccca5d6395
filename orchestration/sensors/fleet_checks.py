"""Keeps what Dagster shows of asset checks equal to the state of the fleet: an archived bot fails no check.

Workers report with every chunk. What changes the fleet otherwise, a run that was canceled, or a worker that was killed
between its events and its report is seen here, by comparing what is shown with what is.
"""

from typing import Final

from dagster import DefaultSensorStatus, ResourceParam, SensorEvaluationContext, SkipReason, sensor

from assets.check_reports import keep_bots
from assets.domain import Domain
from orchestration.sensors.loops import noted

NAME: Final = "fleet_checks"


@sensor(
    name=NAME,
    description="Judges graded bots by their raw rows, and reports checks that Dagster doesn't show as they are.",
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
)
def fleet_checks(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SkipReason:
    """Compare what is shown with the fleet, and report the difference."""
    with noted(domain, NAME) as this:
        this.message = f"{keep_bots(context.instance, domain.tx)} checks were reported."
    return SkipReason(this.message)
