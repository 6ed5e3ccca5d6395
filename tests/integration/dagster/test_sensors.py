"""Sensors keep Dagster in step with the database, without a click."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetRecordsFilter,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    SensorDefinition,
    SensorResult,
    SkipReason,
    build_sensor_context,
)
from sqlalchemy import select, update

from assets.bot_checks import BASELINES, ROLLUPS, SCORES
from assets.domain import Domain
from assets.partitions import BOTS, SYMBOL_MONTHS, SymbolMonth
from assets.run_counts import DONE_TAG, FAILED_TAG
from core.ids import new_id
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind
from orchestration.definitions import defs
from orchestration.jobs import worker
from orchestration.sensors.bars_months import bars_months
from orchestration.sensors.bot_partitions import bot_partitions
from orchestration.sensors.fleet_checks import fleet_checks
from orchestration.sensors.planner import autonomy_tick, metrics_reset, stage_change
from orchestration.sensors.workers import workers_alive
from services.bars.simulate import simulate_months
from services.bots.create import NewBot, create_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.read import get_job
from services.starter.pack import create_starter_pack
from services.supply.top_up import Supply
from sql.engine import Transactions
from sql.tables.jobs import BotJob
from sql.tables.workers import WorkerRun
from tests.factories.partitions import keys_in_order
from tests.factories.sensors import NOW, tick


def new_bot(tx: Transactions, name: str, symbol: str = "ES") -> UUID:
    with tx() as session:
        return create_bot(session, NewBot(name, symbol, "sma_cross"), actor="test", now=NOW)


def queue(tx: Transactions, bot_id: UUID) -> UUID:
    with tx() as session:
        return enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")


@pytest.mark.parametrize(
    "sensor",
    [bot_partitions, workers_alive, bars_months, fleet_checks, autonomy_tick, stage_change, metrics_reset],
    ids=lambda one: one.name,
)
def test_every_sensor_is_defined_and_runs_from_the_start(sensor: SensorDefinition) -> None:
    assert sensor in (defs.sensors or ())
    assert sensor.default_status is DefaultSensorStatus.RUNNING


def test_a_new_bot_becomes_a_partition_and_a_key_without_a_bot_goes(domain: Domain, instance: DagsterInstance) -> None:
    kept, fresh = new_bot(domain.tx, "kept"), new_bot(domain.tx, "fresh")
    keys = keys_in_order(domain.tx, [kept, fresh])
    instance.add_dynamic_partitions("bots", ["gone", keys[0]])
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        for _ in range(2):
            bot_partitions(context)
    assert instance.get_dynamic_partitions("bots") == keys


def test_a_thousand_new_bots_become_partitions_in_one_round(domain: Domain, instance: DagsterInstance) -> None:
    with domain.tx() as session:
        create_starter_pack(session, symbols=["ES"], count=1_000, actor="test", now=NOW, max_attempts=3)
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        bot_partitions(context)
    assert len(instance.get_dynamic_partitions("bots")) == 1_000


def lost(domain: Domain, bot_id: UUID, *, run_id: str, lease_s: float) -> None:
    with domain.tx() as session:
        terms = LeaseTerms(lease_s=lease_s, heartbeat_s=1.0)
        assert claim_chunk(session, caps=Caps(), most=1, terms=terms, run_id=run_id, bot_ids=[bot_id])


def statuses(domain: Domain) -> list[tuple[int, str, str | None]]:
    with domain.tx() as session:
        rows = session.execute(select(BotJob.attempt, BotJob.status, BotJob.error_code).order_by(BotJob.attempt))
        return [(attempt, status, code) for attempt, status, code in rows]


def test_queued_jobs_get_one_worker_however_often_the_sensor_looks(domain: Domain, instance: DagsterInstance) -> None:
    for number in range(3):
        queue(domain.tx, new_bot(domain.tx, f"bot {number}"))
    keys = {request.run_key for _ in range(50) for request in tick(domain, instance)}
    assert len(keys) == 1, "a worker without a run is asked for again under the same key"
    with domain.tx() as session:
        (row,) = session.scalars(select(WorkerRun)).all()
        assert {str(row.id)} == keys


def test_a_worker_whose_run_lives_is_not_asked_for_again(domain: Domain, instance: DagsterInstance) -> None:
    queue(domain.tx, new_bot(domain.tx, "one"))
    (request,) = tick(domain, instance)
    instance.create_run_for_job(defs.resolve_job_def(worker.name), tags=request.tags, status=DagsterRunStatus.STARTED)
    assert tick(domain, instance) == []


@pytest.mark.parametrize("status", [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED, DagsterRunStatus.SUCCESS])
def test_a_worker_whose_run_is_over_is_replaced_under_a_new_key(
    domain: Domain, instance: DagsterInstance, status: DagsterRunStatus
) -> None:
    queue(domain.tx, new_bot(domain.tx, "one"))
    (first,) = tick(domain, instance)
    instance.create_run_for_job(defs.resolve_job_def(worker.name), tags=first.tags, status=status)
    (second,) = tick(domain, instance)
    assert second.run_key != first.run_key


def test_workers_that_all_come_to_nothing_are_replaced_ever_later(domain: Domain, instance: DagsterInstance) -> None:
    queue(domain.tx, new_bot(domain.tx, "one"))
    for _ in range(2):
        (request,) = tick(domain, instance)
        instance.create_run_for_job(
            defs.resolve_job_def(worker.name), tags=request.tags, status=DagsterRunStatus.FAILURE
        )
    assert tick(domain, instance) == [], "two in a row failed: wait"
    with domain.tx() as session:
        session.execute(update(WorkerRun).values(ended_at=WorkerRun.ended_at - timedelta(seconds=6)))
    assert len(tick(domain, instance)) == 1


def test_no_worker_is_asked_for_while_the_caps_leave_no_room(domain: Domain, instance: DagsterInstance) -> None:
    full = replace(domain, terms=replace(domain.terms, caps=Caps(max_backtests_running=0)))
    queue(domain.tx, new_bot(domain.tx, "one"))
    assert tick(full, instance) == []


def test_a_job_whose_lease_is_lost_times_out_and_its_retry_waits_its_turn(
    domain: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(domain.tx, "lost")
    queue(domain.tx, bot_id)
    lost(domain, bot_id, run_id="gone", lease_s=0.0)
    tick(domain, instance)
    assert statuses(domain) == [(1, "TIMEOUT", "HEARTBEAT_TIMEOUT"), (2, "QUEUED", None)]


def test_a_job_whose_run_was_canceled_in_the_ui_fails_at_once_and_is_tried_again(
    domain: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(domain.tx, "canceled")
    queue(domain.tx, bot_id)
    run = instance.create_run_for_job(defs.resolve_job_def(worker.name), status=DagsterRunStatus.CANCELED)
    lost(domain, bot_id, run_id=run.run_id, lease_s=30.0)
    tick(domain, instance)
    assert statuses(domain) == [(1, "FAILED", "RUN_FAILED"), (2, "QUEUED", None)]


def test_a_worker_run_grades_the_queued_bots_of_every_symbol_and_tells_of_each(
    domain: Domain, instance: DagsterInstance
) -> None:
    bot_ids = [new_bot(domain.tx, f"bot {number}", symbol) for number, symbol in enumerate(("ES", "6E", "ES"))]
    job_ids = [queue(domain.tx, bot_id) for bot_id in bot_ids]
    (request,) = tick(domain, instance)
    ran = worker.execute_in_process(
        instance=instance, resources={"domain": domain}, tags=request.tags, run_id=str(new_id())
    )
    assert ran.success
    with domain.tx() as session:
        assert {get_job(session, job_id).status for job_id in job_ids} == {"COMPLETED"}
    for asset in (BASELINES, ROLLUPS, SCORES):
        records = instance.fetch_materializations(AssetRecordsFilter(asset_key=asset), limit=10).records
        assert {record.partition_key for record in records} == set(keys_in_order(domain.tx, bot_ids))
    with domain.tx() as session:
        (row,) = session.scalars(select(WorkerRun)).all()
        assert (row.run_id, row.jobs_done, row.end_reason) == (ran.run_id, 3, "IDLE")
    run = instance.get_run_by_id(ran.run_id)
    assert run is not None
    assert (run.tags[DONE_TAG], FAILED_TAG in run.tags) == ("3", False)


def test_a_worker_run_in_which_jobs_failed_says_how_many_and_why(domain: Domain, instance: DagsterInstance) -> None:
    simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    closed = replace(domain, supply=Supply(simulates=False))
    for number, symbol in enumerate(("ES", "NQ", "CL")):
        queue(domain.tx, new_bot(domain.tx, f"bot {number}", symbol))
    (request,) = tick(closed, instance)
    ran = worker.execute_in_process(
        instance=instance, resources={"domain": closed}, tags=request.tags, run_id=str(new_id())
    )
    assert ran.success, "the worker did its own work"
    run = instance.get_run_by_id(ran.run_id)
    assert run is not None
    assert (run.tags[DONE_TAG], run.tags[FAILED_TAG]) == ("3", "2")
    (output,) = (event.step_output_data for event in ran.all_events if event.is_successful_output)
    shown = {name: value.value for name, value in output.metadata.items()}
    assert shown == {"jobs_done": 3, "jobs_failed": 2, "failed_by_code": {"DATA_UNAVAILABLE": 2}, "stopped": "IDLE"}
    lines = [record.user_message for record in instance.all_logs(ran.run_id) if not record.is_dagster_event]
    assert lines[-1] == "Done: 3 jobs, 2 of them failed; stopped: IDLE."


def test_months_that_came_in_outside_are_reported_once_and_again_when_they_change(
    domain: Domain, instance: DagsterInstance
) -> None:
    simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        first = bars_months(context)
    assert isinstance(first, SensorResult)
    event, check = first.asset_events
    assert isinstance(event, AssetMaterialization)
    assert event.partition == SymbolMonth("ES", "2024-01").key
    assert event.metadata["data_label"].value == "SIMULATED"
    assert isinstance(check, AssetCheckEvaluation)
    assert check.passed
    with build_sensor_context(instance, cursor=first.cursor, resources={"domain": domain}) as context:
        assert isinstance(bars_months(context), SkipReason)
    simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], seed=8, actor="test", now=NOW)
    with build_sensor_context(instance, cursor=first.cursor, resources={"domain": domain}) as context:
        again = bars_months(context)
    assert isinstance(again, SensorResult)
    assert [type(each) for each in again.asset_events] == [AssetMaterialization, AssetCheckEvaluation]


def test_keys_are_dynamic_and_named_once() -> None:
    assert (BOTS.name, SYMBOL_MONTHS.name) == ("bots", "symbol_months")


def test_the_instance_shows_no_pop_up(instance: DagsterInstance) -> None:
    assert not instance.nux_enabled
