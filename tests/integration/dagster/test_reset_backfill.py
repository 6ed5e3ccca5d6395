"""A reset of many bots is one native backfill under the reset's own id, and nothing is graded twice for it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from dagster import DagsterInstance, SkipReason, build_sensor_context

from assets.bot_checks import BASELINES
from assets.bots import RESET_TAG
from assets.domain import Domain
from assets.materialize import RANGE_END_TAG, RANGE_START_TAG
from assets.reset_backfill import MOST_RANGES
from fleet.closed_sets import MetricsScope
from fleet.planner.bars_outlook import Suppliers
from orchestration.dagster_private import BulkActionStatus
from orchestration.definitions import defs
from orchestration.sensors.bot_partitions import bot_partitions
from orchestration.sensors.planner import metrics_reset
from services.backtests.grade import grade_bots
from services.bars.simulate import simulate_months
from services.bots.change import archive_bot
from services.bots.create import NewBot, create_bot
from services.planner.terms import PlannerTerms
from services.resets.reset import ResetRequest, reset_metrics
from tests.factories.databases import OwnerSql
from tests.factories.partitions import keys_in_order

NOW = datetime(2024, 2, 5, tzinfo=UTC)
TERMS = PlannerTerms(suppliers=Suppliers("simulator", can=True))


def new_bots(domain: Domain, instance: DagsterInstance, count: int) -> list[UUID]:
    made = []
    for number in range(count):
        with domain.tx() as session:
            made.append(create_bot(session, NewBot(f"bot {number}", "ES", "sma_cross"), actor="test", now=NOW))
    instance.add_dynamic_partitions("bots", keys_in_order(domain.tx, made))
    return made


def reset(domain: Domain, *bots: UUID, scope: MetricsScope = MetricsScope.ALL) -> str:
    with domain.tx() as session:
        asked = ResetRequest(scope, bots or None, "TEST")
        return str(reset_metrics(session, asked, dry_run=False, actor="admin", now=NOW).request_id)


def tick(domain: Domain, instance: DagsterInstance) -> str:
    with build_sensor_context(
        instance, resources={"domain": replace(domain, planner=TERMS)}, repository_def=defs.get_repository_def()
    ) as context:
        result = metrics_reset(context)
    assert isinstance(result, SkipReason)
    return result.skip_message or ""


def test_a_reset_becomes_one_backfill_under_its_own_id_however_often_the_sensor_looks(
    domain: Domain, instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    bots = new_bots(domain, instance, 3)
    request_id = reset(domain)
    for _ in range(3):
        tick(domain, instance)
    (backfill,) = instance.get_backfills()
    assert backfill.backfill_id == UUID(request_id).hex
    assert backfill.tags[RESET_TAG] == request_id
    data = backfill.asset_backfill_data
    assert data is not None
    keys = {
        (part.asset_key.to_user_string(), part.partition_key) for part in data.target_subset.iterate_asset_partitions()
    }
    names = ("baseline_backtests", "metric_rollups", "autonomy_scores")
    assert keys == {(name, key) for name in names for key in keys_in_order(domain.tx, bots)}
    noted = owner_sql("SELECT DISTINCT payload_json ->> 'request_id' FROM bot_metrics_events")
    assert noted == [(request_id,)]
    assert owner_sql("SELECT count(*) FROM bot_jobs WHERE kind = 'BASELINE'") == [(3,)]


def test_a_bot_archived_while_its_reset_is_followed_stays_a_partition_until_that_is_over(
    domain: Domain, instance: DagsterInstance
) -> None:
    bots = new_bots(domain, instance, 2)
    reset(domain)
    tick(domain, instance)
    with domain.tx() as session:
        archive_bot(session, bots[0], actor="test", now=NOW)
    keys = keys_in_order(domain.tx, bots)
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        bot_partitions(context)
        assert instance.get_dynamic_partitions("bots") == keys
        (backfill,) = instance.get_backfills()
        instance.update_backfill(backfill._replace(status=BulkActionStatus.COMPLETED_SUCCESS))
        bot_partitions(context)
    assert instance.get_dynamic_partitions("bots") == keys[1:]


def test_resets_that_were_seen_to_cost_a_round_nothing_more(domain: Domain, instance: DagsterInstance) -> None:
    bots = new_bots(domain, instance, 3)
    for bot_id in bots:
        reset(domain, bot_id)
    with build_sensor_context(
        instance, resources={"domain": domain}, repository_def=defs.get_repository_def()
    ) as context:
        metrics_reset(context)
        assert len(list(instance.get_backfills())) == 3
        assert context.cursor is not None
        seen = json.loads(context.cursor)
        assert len(seen) == 3
        metrics_reset(context)
        assert json.loads(context.cursor) == seen


@pytest.mark.parametrize("scope", [MetricsScope.PAPER_ONLY, MetricsScope.LIVE_ONLY])
def test_a_reset_that_asks_for_no_baseline_is_no_backfill(
    domain: Domain, instance: DagsterInstance, scope: MetricsScope
) -> None:
    new_bots(domain, instance, 1)
    reset(domain, scope=scope)
    tick(domain, instance)
    assert list(instance.get_backfills()) == []


def test_bots_that_are_scattered_would_be_a_run_each_and_are_left_to_the_workers(
    domain: Domain, instance: DagsterInstance
) -> None:
    bots = new_bots(domain, instance, 2 * MOST_RANGES + 2)
    reset(domain, *bots[::2])
    tick(domain, instance)
    assert list(instance.get_backfills()) == []


def test_what_a_worker_graded_meanwhile_is_not_graded_once_more(
    domain: Domain, instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    bots = new_bots(domain, instance, 2)
    keys = keys_in_order(domain.tx, bots)
    request_id = reset(domain)
    grade_bots(domain.tx, domain.store, bots[:1], run_id="worker", actor="worker", now=NOW)
    ran = defs.resolve_job_def("grade_bots").execute_in_process(
        instance=instance,
        resources={"domain": domain},
        tags={RESET_TAG: request_id, RANGE_START_TAG: keys[0], RANGE_END_TAG: keys[1]},
    )
    assert ran.success
    assert owner_sql("SELECT bot_id, count(*) FROM backtest_sessions GROUP BY 1 ORDER BY 1") == [
        (bot_id, 1) for bot_id in sorted(bots)
    ]
    assert instance.get_materialized_partitions(BASELINES) == set(keys)
