"""What assets use of Dagster's private modules: the one place under `assets` that names them.

Dagster may move these in any release; tests/unit/assets/test_dagster_private.py says which one it moved.
"""

from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata
from dagster._core.execution.backfill import PartitionBackfill

__all__ = ["BaseAssetGraph", "DagsterEvent", "DagsterEventBatchMetadata", "PartitionBackfill"]
