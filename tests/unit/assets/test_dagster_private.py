"""What assets use of Dagster's private modules is still there, and is called as it wants to be.

The private module itself is imported inside the tests: where Dagster moved something, the first test says what.
"""

from inspect import signature
from pathlib import Path

from core.settings import ROOT
from tests.factories.imports import moved, private

MODULE = ROOT / "assets/dagster_private.py"


def test_every_private_name_is_where_it_is_taken_from() -> None:
    assert "dagster._core.execution.backfill.PartitionBackfill" in private(MODULE, "dagster")
    assert moved(MODULE, "dagster") == []


def test_a_name_that_was_moved_is_named(tmp_path: Path) -> None:
    stale = tmp_path / "stale.py"
    stale.write_text("from dagster._core.events import DagsterEvent, Gone\nfrom dagster._gone import It\n")
    assert moved(stale, "dagster") == [
        "dagster._core.events.Gone isn't there any more: find its new place, and change stale.py",
        "dagster._gone isn't there any more: find its new place, and change stale.py",
        "dagster._gone.It isn't there any more: find its new place, and change stale.py",
    ]


def test_a_backfill_is_made_of_what_a_reset_gives_it() -> None:
    from assets.dagster_private import PartitionBackfill

    assert set(signature(PartitionBackfill.from_asset_partitions).parameters) == {
        *("backfill_id", "asset_graph", "partition_names", "asset_selection", "backfill_timestamp", "tags"),
        *("dynamic_partitions_store", "all_partitions", "title", "description", "run_config"),
    }


def test_an_event_takes_its_place_in_a_batch() -> None:
    from assets.dagster_private import DagsterEvent, DagsterEventBatchMetadata

    assert list(signature(DagsterEventBatchMetadata).parameters) == ["id", "is_end"]
    assert list(signature(DagsterEvent.asset_materialization).parameters) == [
        *("step_context", "materialization", "batch_metadata"),
    ]
