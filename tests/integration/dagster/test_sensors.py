"""Sensors keep Dagster in step with the database, without a click."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    SensorDefinition,
    SensorResult,
    SkipReason,
    build_sensor_context,
)

from assets.domain import Domain
from assets.partitions import BOTS, SymbolMonth
from fleet.closed_sets import BacktestKind
from orchestration.definitions import defs
from orchestration.jobs import grade_bots
from orchestration.sensors.bars_months import bars_months
from orchestration.sensors.bot_partitions import bot_partitions
from orchestration.sensors.lost_leases import lost_leases
from orchestration.sensors.queued_jobs import queued_jobs
from services import bars, jobs
from services.bots import NewBot, create
from services.heartbeat import LeaseTerms
from sql.engine import Transactions
from sql.tables.bots import Bot

NOW = datetime(2024, 2, 5, tzinfo=UTC)


def new_bot(tx: Transactions, name: str) -> UUID:
    with tx() as session:
        return create(session, NewBot(name, "ES", "sma_cross"), actor="test", now=NOW)


def queue(tx: Transactions, bot_id: UUID) -> UUID:
    with tx() as session:
        return jobs.enqueue(session, bot_id, kind=BacktestKind.MANUAL, actor="test")


@pytest.mark.parametrize("sensor", [bot_partitions, queued_jobs, lost_leases, bars_months], ids=lambda one: one.name)
def test_every_sensor_is_defined_and_runs_from_the_start(sensor: SensorDefinition) -> None:
    assert sensor in (defs.sensors or ())
    assert sensor.default_status is DefaultSensorStatus.RUNNING


def test_a_new_bot_becomes_a_partition_and_a_key_without_a_bot_goes(domain: Domain, instance: DagsterInstance) -> None:
    kept, fresh = new_bot(domain.tx, "kept"), new_bot(domain.tx, "fresh")
    instance.add_dynamic_partitions("bots", ["gone", str(kept)])
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        result = bot_partitions(context)
    assert isinstance(result, SensorResult)
    asked = {type(request).__name__: request.partition_keys for request in result.dynamic_partitions_requests or ()}
    assert asked == {"AddDynamicPartitionsRequest": [str(fresh)], "DeleteDynamicPartitionsRequest": ["gone"]}


def test_a_queued_job_gets_one_run_with_its_bot_its_job_and_its_trace(
    domain: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(domain.tx, "queued")
    job_id = queue(domain.tx, bot_id)
    with build_sensor_context(instance, resources={"domain": domain}, definitions=defs) as context:
        result = queued_jobs(context)
    assert isinstance(result, SensorResult)
    (request,) = result.run_requests or ()
    with domain.tx() as session:
        trace_id = jobs.get(session, job_id).trace_id
    assert (request.partition_key, request.job_name) == (str(bot_id), grade_bots.name)
    assert request.tags["gantry/job"] == str(job_id)
    assert request.tags["gantry/trace_id"] == trace_id
    assert request.run_key is None
    assert [list(one.partition_keys) for one in result.dynamic_partitions_requests or ()] == [[str(bot_id)]]


def test_a_job_with_a_live_run_is_left_to_it_however_often_the_sensor_looks(
    domain: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(domain.tx, "live")
    job_id = queue(domain.tx, bot_id)
    instance.create_run_for_job(defs.resolve_job_def(grade_bots.name), tags={"gantry/job": str(job_id)})
    for _ in range(50):
        with build_sensor_context(instance, resources={"domain": domain}) as context:
            assert isinstance(queued_jobs(context), SkipReason)


def test_a_job_whose_worker_was_lost_times_out_and_its_retry_gets_a_run(
    domain: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(domain.tx, "lost")
    job_id = queue(domain.tx, bot_id)
    with domain.tx() as session:
        job = jobs.get(session, job_id)
        version_id = session.get_one(Bot, bot_id).current_version_id
        assert version_id is not None
        jobs.claim(session, job, version_id=version_id, run_id="gone", terms=LeaseTerms(lease_s=0.0, heartbeat_s=1.0))
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        said = lost_leases(context)
        result = queued_jobs(context)
    assert isinstance(said, SkipReason)
    assert said.skip_message == "1 jobs timed out, 1 retries queued."
    assert isinstance(result, SensorResult)
    (request,) = result.run_requests or ()
    assert request.tags["gantry/job"] != str(job_id)


def test_months_that_came_in_outside_are_told_once_and_again_when_they_change(
    domain: Domain, instance: DagsterInstance
) -> None:
    bars.simulate(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        first = bars_months(context)
    assert isinstance(first, SensorResult)
    (event,) = first.asset_events
    assert event.partition == str(SymbolMonth("ES", "2024-01").key)
    assert event.metadata["data_label"].value == "SIMULATED"
    with build_sensor_context(instance, cursor=first.cursor, resources={"domain": domain}) as context:
        assert isinstance(bars_months(context), SkipReason)
    bars.simulate(domain.tx, domain.store, ["ES"], ["2024-01"], seed=8, actor="test", now=NOW)
    with build_sensor_context(instance, cursor=first.cursor, resources={"domain": domain}) as context:
        again = bars_months(context)
    assert isinstance(again, SensorResult)
    assert len(again.asset_events) == 1


def test_the_partitions_of_bots_are_dynamic_and_named_once() -> None:
    assert BOTS.name == "bots"
