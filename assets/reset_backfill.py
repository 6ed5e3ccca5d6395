"""A reset of many bots as one thing to follow in Dagster's UI: a native backfill under the reset's own id."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from dagster import DagsterInstance

from assets.bot_checks import BASELINES, ROLLUPS, SCORES
from assets.bots import RESET_TAG, RUN_SIZE
from assets.dagster_private import BaseAssetGraph, PartitionBackfill
from assets.partitions import BOTS, add_keys, keys_of, present_keys
from assets.ranges import ranges
from core.clock import utc_now
from services.resets.recent import RecentReset, backfill_id, recent_resets
from sql.engine import Transactions

MOST_RANGES: Final = 16  # scattered bots would be a run each: workers grade those, under a tag with the reset's id
SELECTION: Final = (BASELINES, ROLLUPS, SCORES)


def is_followed(instance: DagsterInstance, reset: RecentReset) -> bool:
    """Whether there is a backfill of that reset."""
    return instance.get_backfill(backfill_id(reset.request_id)) is not None


def follow(
    instance: DagsterInstance,
    graph: BaseAssetGraph[Any],
    tx: Transactions,
    reset: RecentReset,
    bot_ids: Sequence[UUID],
) -> bool:
    """Add the reset's backfill; False where its bots form too many ranges, or there is one.

    A backfill's id is unique: who comes second changes nothing.
    """
    if is_followed(instance, reset):
        return False
    named = keys_of(tx, bot_ids)
    keys = [named[bot_id] for bot_id in bot_ids]
    add_keys(instance, BOTS, keys)  # of bots so new that their sensor hasn't come round
    parts = ranges(present_keys(instance, BOTS), keys, at_most=RUN_SIZE)
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


def left_to_workers(instance: DagsterInstance, tx: Transactions) -> RecentReset | None:
    """Return the newest reset of the last hour if no backfill follows it: workers started since carry its tag."""
    with tx() as session:
        resets = recent_resets(session)
    return resets[-1] if resets and not is_followed(instance, resets[-1]) else None
