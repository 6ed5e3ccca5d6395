"""Sensors asked by hand, in the place of Dagster's daemon."""

from datetime import UTC, datetime

from dagster import DagsterInstance, RunRequest, SensorResult, build_sensor_context

from assets.domain import Domain
from orchestration.definitions import defs
from orchestration.sensors.workers import workers_alive

NOW = datetime(2024, 2, 5, tzinfo=UTC)


def tick(domain: Domain, instance: DagsterInstance) -> list[RunRequest]:
    """Let the sensor of the workers look once; return the runs it asks for."""
    with build_sensor_context(instance, resources={"domain": domain}, definitions=defs) as context:
        result = workers_alive(context)
    return list(result.run_requests or ()) if isinstance(result, SensorResult) else []
