"""What assets use of Dagster's private modules: the one place under `assets` that names them.

Dagster may move these in any release; tests/unit/assets/test_dagster_private.py says which one it moved.
"""

from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster_shared.record import replace
from dagster_shared.serdes import serialize_value

__all__ = [
    "AssetCheckEvaluationTargetMaterializationData",
    "AssetCheckExecutionRecordStatus",
    "AssetCheckExecutionsTable",
    "BaseAssetGraph",
    "DagsterEvent",
    "DagsterEventBatchMetadata",
    "EventLogEntry",
    "PartitionBackfill",
    "SqlEventLogStorageTable",
    "replace",
    "serialize_value",
]
