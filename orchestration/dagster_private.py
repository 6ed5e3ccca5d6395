"""What orchestration uses of Dagster's private modules and attributes: the one place there that names them.

Dagster may move these in any release; tests/unit/orchestration/test_dagster_private.py says which one it moved.
"""

from collections.abc import Callable
from typing import Any

from dagster import DagsterInstance, DefaultRunLauncher, SensorDefinition
from dagster._core.events import EngineEventData
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_postgres.storage import DagsterPostgresStorage
from sqlalchemy import Engine

__all__ = [
    "BulkActionStatus",
    "BulkActionsFilter",
    "CheckRunHealthResult",
    "ConfigurableClassData",
    "EngineEventData",
    "WorkerStatus",
    "function_of",
    "instance_of",
    "parts_of",
    "share_pool",
]
ENGINE = "_engine"


def parts_of(storage: DagsterPostgresStorage) -> tuple[object, ...]:
    """Return the storages of runs, events and schedules that it is made of; each has an engine of its own."""
    return (storage._run_storage, storage._event_log_storage, storage._schedule_storage)  # noqa: SLF001


def share_pool(storage: DagsterPostgresStorage, pool: Engine) -> None:
    """Let all parts of a storage ask over one pool: Dagster offers pools to its web server only."""
    for part in parts_of(storage):
        setattr(part, ENGINE, pool)


def instance_of(launcher: DefaultRunLauncher) -> DagsterInstance:
    """Return the instance a launcher was registered with."""
    return launcher._instance  # noqa: SLF001


def function_of(sensor: SensorDefinition) -> Callable[..., Any]:
    """Return the function that was made a sensor."""
    return sensor._raw_fn  # noqa: SLF001
