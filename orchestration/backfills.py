"""Backfills under way: one whose partitions are removed meanwhile fails whole, so that removals wait for it."""

from dagster import DagsterInstance

from orchestration.dagster_private import BulkActionsFilter, BulkActionStatus


def is_backfilling(instance: DagsterInstance) -> bool:
    """Whether a backfill is under way."""
    under_way = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
    return bool(instance.get_backfills(filters=BulkActionsFilter(statuses=under_way), limit=1))
