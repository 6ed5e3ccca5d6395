"""What orchestration uses of Dagster's private modules and attributes is still there, and means what it did.

The private module itself is imported inside the tests: where Dagster moved something, the first test says what.
"""

from importlib.util import find_spec
from inspect import signature

from dagster import DefaultRunLauncher

from core.settings import ROOT
from tests.factories.imports import moved, private

MODULE = ROOT / "orchestration/dagster_private.py"


def test_every_private_name_is_where_it_is_taken_from() -> None:
    assert "dagster._core.launcher.base.WorkerStatus" in private(MODULE, "dagster")
    assert moved(MODULE, "dagster") == []


def test_a_backfill_is_under_way_in_the_states_that_are_asked_for() -> None:
    from orchestration.dagster_private import BulkActionsFilter, BulkActionStatus

    assert {status.name for status in BulkActionStatus} == {
        *("REQUESTED", "CANCELING", "FAILING"),  # under way
        *("COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "CANCELED", "FAILED"),
    }
    assert BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]).statuses == [BulkActionStatus.REQUESTED]


def test_the_health_of_a_run_is_reported_in_dagsters_terms() -> None:
    from orchestration.dagster_private import CheckRunHealthResult, WorkerStatus

    assert {"RUNNING", "NOT_FOUND", "UNKNOWN"} <= {status.name for status in WorkerStatus}
    assert {"status", "msg", "run_worker_id"} <= set(signature(CheckRunHealthResult).parameters)


def test_a_launcher_knows_its_instance() -> None:
    assert hasattr(DefaultRunLauncher, "_instance"), "Dagster renamed it: change instance_of"


def test_the_function_behind_a_sensor_is_found() -> None:
    from orchestration.dagster_private import function_of
    from orchestration.sensors.bot_partitions import bot_partitions

    assert function_of(bot_partitions).__name__ == "bot_partitions"


def test_the_daemon_starts_as_the_module_that_the_supervisor_runs() -> None:
    assert find_spec("dagster._daemon.__main__") is not None, "Dagster moved it: change cli/up/services.py"
