"""Many events at an affordable price: connections that are kept, and batches.

Measured: a materialization is 25 ms with a new database connection an event, 0.5 ms with a kept one and batches.
The evaluations of five checks are 15 commits through `report_runless_asset_event`, and one here.
"""

import logging
import os
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final
from uuid import uuid4
from weakref import WeakSet

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    OpExecutionContext,
)
from dagster import DagsterEventType as Happened
from dagster_postgres.event_log import PostgresEventLogStorage
from sqlalchemy import Connection, text

from assets.dagster_private import (
    AssetCheckEvaluationTargetMaterializationData,
    AssetCheckExecutionRecordStatus,
    AssetCheckExecutionsTable,
    DagsterEvent,
    DagsterEventBatchMetadata,
    EventLogEntry,
    SqlEventLogStorageTable,
    replace,
    serialize_value,
)

Status = AssetCheckExecutionRecordStatus
RUNLESS: Final = ""  # the run and the job of an event that belongs to none

STATEMENT_TIMEOUT_MS: Final = 60_000
POOL_RECYCLE_S: Final = 3_600
MAX_OVERFLOW: Final = 5
BATCH_VARIABLE: Final = "DAGSTER_EVENT_BATCH_SIZE"
BATCH_SIZE: Final = "50"
_quick: Final[WeakSet[DagsterInstance]] = WeakSet()
_NEWEST: Final = text(
    """
    SELECT asset, id, run_id, timestamp FROM unnest(CAST(:assets AS text[])) AS asked (asset), LATERAL (
      SELECT id, run_id, timestamp FROM event_logs WHERE asset_key = asset AND dagster_event_type = :type
      ORDER BY id DESC LIMIT 1
    ) AS newest
    """
)


def quicken(instance: DagsterInstance) -> None:
    """Keep this instance's event connections open, and let the process write events in batches."""
    os.environ.setdefault(BATCH_VARIABLE, BATCH_SIZE)
    if instance not in _quick:
        _quick.add(instance)
        instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, POOL_RECYCLE_S, MAX_OVERFLOW)


def publish(context: OpExecutionContext, made: Sequence[AssetMaterialization]) -> None:
    """Write these events of the running step, batch by batch; a batch is of one asset, as the asset's own row needs."""
    step = context.get_step_execution_context()
    in_order = sorted(made, key=lambda event: event.asset_key)
    for _asset, group in groupby(in_order, key=lambda event: event.asset_key):
        events = tuple(group)
        batch = uuid4().hex
        for place, event in enumerate(events, start=1):
            DagsterEvent.asset_materialization(step, event, DagsterEventBatchMetadata(batch, place == len(events)))


def report_checks(instance: DagsterInstance, evaluations: Sequence[AssetCheckEvaluation]) -> None:
    """Write evaluations that belong to no run, of each asset's newest materialization, in one transaction.

    Of no run: Dagster shows the newest row a check has, and a run's row is as old as the run's plan.
    """
    if not evaluations:
        return
    storage = event_storage(instance)
    with storage.index_transaction() as connection:
        newest = _newest(connection, {one.asset_key for one in evaluations})
        targeted = [replace(one, target_materialization_data=newest.get(one.asset_key)) for one in evaluations]
        entries = [_entry(one) for one in targeted]
        statement = storage.prepare_insert_event_batch(entries).returning(SqlEventLogStorageTable.c.id)
        ids = connection.execute(statement).scalars().all()
        rows = [_check_row(*each) for each in zip(targeted, entries, ids, strict=True)]
        connection.execute(AssetCheckExecutionsTable.insert(), rows)


def checks_shown(
    instance: DagsterInstance, keys: Collection[AssetCheckKey]
) -> Mapping[AssetCheckKey, AssetCheckEvaluation | None]:
    """Return what Dagster shows of checks that were ever asked for; None where it shows them as not evaluated."""
    storage = event_storage(instance)
    with storage.index_connection() as connection:
        newest = _newest(connection, {key.asset_key for key in keys})
    shown: dict[AssetCheckKey, AssetCheckEvaluation | None] = {}
    for key in keys:
        for row in storage.get_asset_check_execution_history(key, limit=1):
            evaluation = row.evaluation if row.status is not Status.PLANNED else None
            of, last = evaluation and evaluation.target_materialization_data, newest.get(key.asset_key)
            shown[key] = evaluation if (of and of.storage_id) == (last and last.storage_id) else None
    return shown


def last_evaluation(instance: DagsterInstance, key: AssetCheckKey) -> AssetCheckEvaluation | None:
    """Return the newest evaluation of a check, whether or not it is of the newest materialization."""
    done = {Status.SUCCEEDED, Status.FAILED}
    rows = event_storage(instance).get_asset_check_execution_history(key, limit=1, status=done)
    return rows[0].evaluation if rows else None


def event_storage(instance: DagsterInstance) -> PostgresEventLogStorage:
    """Return the instance's storage of events, which is Postgres: see `orchestration.storage`."""
    storage = instance.event_log_storage
    assert isinstance(storage, PostgresEventLogStorage)  # noqa: S101 - dagster.yaml says so
    return storage


def _newest(
    connection: Connection, assets: Collection[AssetKey]
) -> Mapping[AssetKey, AssetCheckEvaluationTargetMaterializationData]:
    """Return each asset's newest materialization, one index probe an asset; those without one are left out."""
    by_text = {asset.to_string(): asset for asset in assets}
    rows = connection.execute(_NEWEST, {"assets": list(by_text), "type": Happened.ASSET_MATERIALIZATION.value})
    return {
        by_text[row.asset]: AssetCheckEvaluationTargetMaterializationData(
            storage_id=row.id, run_id=row.run_id, timestamp=row.timestamp.replace(tzinfo=UTC).timestamp()
        )
        for row in rows
    }


def _entry(evaluation: AssetCheckEvaluation) -> EventLogEntry:
    """Return the event as `report_runless_asset_event` would write it."""
    return EventLogEntry(  # type: ignore[no-untyped-call]
        error_info=None,
        user_message="",
        level=logging.INFO,
        run_id=RUNLESS,
        timestamp=time.time(),
        job_name=RUNLESS,
        dagster_event=DagsterEvent(
            event_type_value=Happened.ASSET_CHECK_EVALUATION.value,
            job_name=RUNLESS,
            event_specific_data=evaluation,
        ),
    )


def _check_row(evaluation: AssetCheckEvaluation, entry: EventLogEntry, event_id: int) -> dict[str, object]:
    target = evaluation.target_materialization_data
    return {
        "asset_key": evaluation.asset_key.to_string(),
        "check_name": evaluation.check_name,
        "partition": None,
        "run_id": RUNLESS,
        "execution_status": (Status.SUCCEEDED if evaluation.passed else Status.FAILED).value,
        "evaluation_event": serialize_value(entry),
        "evaluation_event_timestamp": datetime.fromtimestamp(entry.timestamp, UTC).replace(tzinfo=None),
        "evaluation_event_storage_id": event_id,
        "materialization_event_storage_id": target.storage_id if target else None,
    }
