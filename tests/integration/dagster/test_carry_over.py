"""Partitions that went by their bot's id get its key, once, with everything that was ever reported of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from uuid import UUID

import pytest
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    AssetRecordsFilter,
    AssetSpec,
    DagsterInstance,
    Output,
    SkipReason,
    asset,
    build_sensor_context,
    materialize,
    multi_asset,
)
from dagster import DagsterEventType as Happened

from assets.bot_checks import BASELINES, ROLLUPS
from assets.domain import Domain
from assets.partitions import BOTS
from fleet.closed_sets import MetricsScope
from orchestration import carry_over
from orchestration.dagster_private import BulkActionStatus
from orchestration.definitions import defs
from orchestration.sensors.bot_partitions import bot_partitions
from orchestration.sensors.planner import metrics_reset
from services.bots.change import archive_bot
from services.bots.create import NewBot, create_bot
from services.resets.reset import ResetRequest, reset_metrics
from tests.factories.dagster_private import get_and_update_asset_status_cache_value
from tests.factories.databases import OwnerSql
from tests.factories.partitions import keys_in_order
from tests.factories.sensors import NOW


@dataclass(frozen=True, slots=True)
class Event:
    """What is kept of a materialization."""

    storage_id: int
    run_id: str
    timestamp: float
    partition: str | None
    metadata: Mapping[str, object]
    tags: Mapping[str, str]


def new_bots(domain: Domain, count: int, name: str = "bot") -> list[UUID]:
    with domain.tx() as session:
        return [
            create_bot(session, NewBot(f"{name} {number}", "ES", "sma_cross"), actor="test", now=NOW)
            for number in range(count)
        ]


def before(domain: Domain, instance: DagsterInstance, bots: Sequence[UUID], *, clicks: int = 0) -> list[str]:
    """Let Dagster be as it was when ids were keys, and return them.

    Each has a partition, with a materialization and an observation of both assets by one run, as by a worker, and a
    materialization of one by each of these clicks.
    """
    former = [str(bot_id) for bot_id in bots]
    instance.add_dynamic_partitions("bots", former)

    @multi_asset(specs=[AssetSpec(each, partitions_def=BOTS, skippable=True) for each in (BASELINES, ROLLUPS)])
    def reported(context: AssetExecutionContext) -> Iterator[Output[None]]:
        """Report both assets of each bot."""
        for asset_key, key in product((BASELINES, ROLLUPS), former):
            context.log_event(
                AssetMaterialization(
                    asset_key, partition=key, metadata={"epoch": 3}, tags={"dagster/data_version": key[:8]}
                )
            )
            context.log_event(AssetObservation(asset_key, partition=key))
        yield from ()

    @asset(key=BASELINES, partitions_def=BOTS)
    def clicked() -> Output[None]:
        """Be planned and materialized by one run, as from the UI."""
        return Output(None, metadata={"net_pnl": 1.5})

    assert materialize([reported], instance=instance, partition_key=former[0]).success
    for key, _click in product(former, range(clicks)):
        assert materialize([clicked], instance=instance, partition_key=key).success
    return former


def events(instance: DagsterInstance, asset_key: AssetKey, *keys: str) -> list[Event]:
    found = instance.fetch_materializations(
        AssetRecordsFilter(asset_key=asset_key, asset_partitions=list(keys)), limit=1_000
    )
    made = [(record, record.asset_materialization) for record in found.records]
    return [
        Event(
            record.storage_id,
            record.run_id,
            record.timestamp,
            event.partition,
            {name: value.value for name, value in event.metadata.items()},
            event.tags or {},
        )
        for record, event in made
        if event is not None
    ]


def look(domain: Domain, instance: DagsterInstance) -> str:
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        result = bot_partitions(context)
    assert isinstance(result, SkipReason)
    return result.skip_message or ""


def test_every_materialization_is_found_under_the_new_key_with_its_run_time_and_metadata(
    domain: Domain, instance: DagsterInstance
) -> None:
    bots = new_bots(domain, 2)
    former, keys = before(domain, instance, bots, clicks=1), keys_in_order(domain.tx, bots)
    was = {name: events(instance, name, *former) for name in (BASELINES, ROLLUPS)}
    assert {name: len(found) for name, found in was.items()} == {BASELINES: 4, ROLLUPS: 2}
    look(domain, instance)
    renamed = dict(zip(former, keys, strict=True))
    for name, events_before in was.items():
        kept = events(instance, name, *keys)
        assert [replaced(event, renamed) for event in events_before] == kept
        assert events(instance, name, *former) == []
        assert instance.get_materialized_partitions(name) == set(keys)


def test_a_partition_keeps_its_place_and_a_second_look_changes_nothing(
    domain: Domain, instance: DagsterInstance
) -> None:
    bots = new_bots(domain, 3)
    before(domain, instance, bots)
    assert look(domain, instance) == "3 bots: 0 partitions added, 0 removed. 3 of 3 were given their bot's name."
    keys = keys_in_order(domain.tx, bots)
    assert instance.get_dynamic_partitions("bots") == keys
    was = events(instance, BASELINES, *keys)
    assert look(domain, instance) == "3 bots: 0 partitions added, 0 removed."
    assert instance.get_dynamic_partitions("bots") == keys
    assert events(instance, BASELINES, *keys) == was


def test_what_was_planned_and_what_the_asset_shows_last_go_by_the_new_key(
    domain: Domain, instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    bots = new_bots(domain, 1)
    (former,), (key,) = before(domain, instance, bots, clicks=1), keys_in_order(domain.tx, bots)
    status = get_and_update_asset_status_cache_value(instance, BASELINES, BOTS)
    assert former in str(status), "the web server keeps which partitions are materialized"
    look(domain, instance)
    assert owner_sql(
        "SELECT partition, count(*) FROM dagster.event_logs WHERE dagster_event_type = %s AND partition IS NOT NULL "
        "GROUP BY partition",
        Happened.ASSET_MATERIALIZATION_PLANNED.value,
    ) == [(key, 3)]
    assert (
        owner_sql(f"SELECT event FROM dagster.event_logs WHERE asset_key IS NOT NULL AND event LIKE '%{former}%'") == []
    )
    assert owner_sql("SELECT * FROM dagster.asset_event_tags WHERE value = %s", former) == []
    last = instance.get_latest_materialization_event(BASELINES)
    assert last is not None
    assert last.asset_materialization is not None
    assert last.asset_materialization.partition == key
    status = get_and_update_asset_status_cache_value(instance, BASELINES, BOTS)
    assert former not in str(status)
    assert key in str(status)


def test_many_partitions_are_carried_over_some_a_round_and_none_is_lost_or_doubled_meanwhile(
    domain: Domain, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry_over, "MOST_AT_ONCE", 2)
    bots = new_bots(domain, 5)
    before(domain, instance, bots)
    (fresh,) = new_bots(domain, 1, "fresh")
    keys = keys_in_order(domain.tx, [*bots, fresh])
    for rounds in range(1, 4):
        look(domain, instance)
        present = instance.get_dynamic_partitions("bots")
        assert len(present) == 6
        assert sum(key in keys for key in present) == min(2 * rounds + 1, 6)
    assert present == keys
    assert len(events(instance, BASELINES, *keys)) == 5


def test_a_partition_whose_bot_is_archived_goes_after_it_was_renamed(domain: Domain, instance: DagsterInstance) -> None:
    bots = new_bots(domain, 2)
    before(domain, instance, bots)
    with domain.tx() as session:
        archive_bot(session, bots[0], actor="test", now=NOW)
    look(domain, instance)
    keys = keys_in_order(domain.tx, bots)
    assert instance.get_dynamic_partitions("bots") == keys[1:]
    assert len(events(instance, BASELINES, keys[0])) == 1, "its history is kept under its key"


def test_a_key_that_is_a_partition_already_takes_over_the_history(domain: Domain, instance: DagsterInstance) -> None:
    bots = new_bots(domain, 1)
    before(domain, instance, bots)
    (key,) = keys_in_order(domain.tx, bots)
    instance.add_dynamic_partitions("bots", [key])
    look(domain, instance)
    assert instance.get_dynamic_partitions("bots") == [key]
    assert len(events(instance, BASELINES, key)) == 1


def test_while_a_backfill_is_under_way_keys_wait_and_so_does_the_rest(
    domain: Domain, instance: DagsterInstance
) -> None:
    bots = new_bots(domain, 2)
    former = before(domain, instance, bots)
    with domain.tx() as session:
        reset_metrics(session, ResetRequest(MetricsScope.ALL, None, "TEST"), dry_run=False, actor="admin", now=NOW)
    with build_sensor_context(
        instance, resources={"domain": domain}, repository_def=defs.get_repository_def()
    ) as context:
        metrics_reset(context)
    (backfill,) = instance.get_backfills()
    look(domain, instance)
    keys = keys_in_order(domain.tx, bots)
    assert instance.get_dynamic_partitions("bots") == [*former, *keys], "the backfill added its own"
    instance.update_backfill(backfill._replace(status=BulkActionStatus.COMPLETED_SUCCESS))
    look(domain, instance)
    assert sorted(instance.get_dynamic_partitions("bots")) == sorted(keys)


def replaced(event: Event, renamed: Mapping[str, str]) -> Event:
    return Event(
        event.storage_id,
        event.run_id,
        event.timestamp,
        renamed[event.partition or ""],
        event.metadata,
        {name: renamed.get(value, value) for name, value in event.tags.items()},
    )
