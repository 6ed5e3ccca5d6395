"""Rescues jobs whose worker stopped renewing its lease: they time out, and their retries are queued."""

from dagster import DefaultSensorStatus, ResourceParam, SensorEvaluationContext, SkipReason, sensor

from assets.domain import Domain
from services import jobs


@sensor(
    description="Turns running jobs with an expired lease into TIMEOUT and queues their retries.",
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
)
def lost_leases(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SkipReason:
    """Reap; `queued_jobs` starts what was queued."""
    report = jobs.reap_lost_leases(domain.tx, actor="lost_leases")
    if report.timed_out:
        context.log.warning(f"Timed out: {', '.join(map(str, report.timed_out))}")
    return SkipReason(f"{len(report.timed_out)} jobs timed out, {len(report.retried)} retries queued.")
