"""The private helpers of Dagster that write many events at once: they lose none, and keep assets apart."""

from collections.abc import Iterator

import pytest
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetRecordsFilter,
    AssetSpec,
    DagsterInstance,
    Output,
    materialize,
    multi_asset,
)
from dagster_postgres.event_log import PostgresEventLogStorage

from assets.event_speed import BATCH_SIZE, publish, quicken

FIRST, SECOND = AssetKey("first"), AssetKey("second")
PARTITIONS = int(BATCH_SIZE) + 10


@multi_asset(specs=[AssetSpec(FIRST, skippable=True), AssetSpec(SECOND, skippable=True)], can_subset=True)
def reported(context: AssetExecutionContext) -> Iterator[Output[None]]:
    quicken(context.instance)
    quicken(context.instance)
    events = [
        AssetMaterialization(asset, partition=f"p{number}", metadata={"number": number})
        for number in range(PARTITIONS)
        for asset in (FIRST, SECOND)
    ]
    publish(context.op_execution_context, events)
    yield from ()


def test_each_partition_of_each_asset_is_reported_once_with_its_own_metadata(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
    assert materialize([reported], instance=instance).success
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE")
    for asset in (FIRST, SECOND):
        records = instance.fetch_materializations(AssetRecordsFilter(asset_key=asset), limit=1_000).records
        made = [record.asset_materialization for record in records]
        numbers = {event.partition: event.metadata["number"].value for event in made if event is not None}
        assert len(made) == PARTITIONS
        assert numbers == {f"p{number}": number for number in range(PARTITIONS)}
        assert instance.get_latest_materialization_event(asset) is not None
