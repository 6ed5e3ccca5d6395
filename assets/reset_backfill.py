"""A reset of many bots as one thing to follow in Dagster's UI: a native backfill under the reset's own id.

What is private of Dagster here has its own test: tests/integration/dagster/test_reset_backfill.py.
"""

from collections.abc import Sequence
from typing import Any, Final

from dagster import DagsterInstance
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.execution.backfill import PartitionBackfill

from assets.bot_checks import BASELINES, ROLLUPS, SCORES
from assets.bots import RESET_TAG, RUN_SIZE
from assets.partitions import BOTS
from assets.ranges import ranges
from core.clock import utc_now
from services.recent_resets import RecentReset, backfill_id

MOST_RANGES: Final = 16  # scattered bots would be a run each: workers grade those, under a tag with the reset's id
SELECTION: Final = (BASELINES, ROLLUPS, SCORES)


def is_followed(instance: DagsterInstance, reset: RecentReset) -> bool:
    """Whether there is a backfill of that reset."""
    return instance.get_backfill(backfill_id(reset.request_id)) is not None


def follow(instance: DagsterInstance, graph: BaseAssetGraph[Any], reset: RecentReset, bot_ids: Sequence[str]) -> bool:
    """Add the reset's backfill; False where its bots form too many ranges, or none of them is a partition yet.

    A backfill's id is unique: who comes second changes nothing.
    """
    every = instance.get_dynamic_partitions(BOTS.name or "")
    parts = ranges(every, bot_ids, at_most=RUN_SIZE)
    if not parts or len(parts) > MOST_RANGES:
        return False
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id=backfill_id(reset.request_id),
        asset_graph=graph,
        partition_names=[key for part in parts for key in part.keys],
        asset_selection=list(SELECTION),
        backfill_timestamp=utc_now().timestamp(),
        tags={RESET_TAG: str(reset.request_id)},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=f"Reset {reset.reason_code}",
        description=f"{len(bot_ids)} bots need a new baseline since {reset.actor} reset their metrics.",
        run_config=None,
    )
    try:
        instance.add_backfill(backfill)
    except Exception:
        if not is_followed(instance, reset):
            raise
    return True
