"""Materializing bots: the same flows as everywhere else, with lineage, numbers and checks in Dagster."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from dagster import AssetKey, AssetRecordsFilter, AssetSelection, DagsterInstance, DagsterRunStatus, materialize
from dagster import DagsterEventType as Happened

from assets.bars import historical_bars
from assets.bot_checks import BASELINES, ROLLUPS, RULES, SCORES
from assets.bots import bot_grades
from assets.domain import Domain
from assets.materialize import RANGE_END_TAG, RANGE_START_TAG, materialize_bots
from assets.run_counts import DONE_TAG, FAILED_TAG
from core.errors import ErrorCode, GantryError
from fleet.closed_sets import JobStatus
from services.backtests.chunk import GradedBot
from services.backtests.results import page_sessions
from services.bars.simulate import simulate_months
from services.bots.create import NewBot, create_bot
from services.bots.read import get_bot
from sql.engine import Transactions
from tests.factories.databases import OwnerSql
from tests.factories.partitions import keys_in_order

NOW = datetime(2024, 2, 5, tzinfo=UTC)
MONTH = "2024-01"


@pytest.fixture
def january(domain: Domain) -> Domain:
    """A month of simulated ES bars is there."""
    simulate_months(domain.tx, domain.store, ["ES"], [MONTH], actor="test", now=NOW)
    return domain


def new_bot(tx: Transactions, name: str, symbol: str = "ES", **params: object) -> UUID:
    with tx() as session:
        return create_bot(session, NewBot(name, symbol, "sma_cross", params=params), actor="test", now=NOW)


def metadata_of(domain: Domain, instance: DagsterInstance, asset: AssetKey, bot_id: UUID) -> dict[str, object]:
    (record,) = instance.fetch_materializations(
        AssetRecordsFilter(asset_key=asset, asset_partitions=keys_in_order(domain.tx, [bot_id])),
        limit=1,
    ).records
    made = record.asset_materialization
    assert made is not None
    return {name: value.value for name, value in made.metadata.items()}


def test_a_bots_whole_chain_is_materialized_in_one_run_with_numbers_that_equal_the_databases(
    january: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(january.tx, "one")
    done = materialize_bots([bot_id], tx=january.tx, store=january.store, instance=instance)
    assert done.ok
    assert len(done.run_ids) == 1
    assert [check.name for check in done.failed_checks if check.name != "analyzers_found_nothing"] == []
    with january.tx() as session:
        shown = get_bot(session, bot_id, now=NOW)
        (run,) = page_sessions(session, bot_id, after=None, limit=10).rows
    backtest = metadata_of(january, instance, BASELINES, bot_id)
    assert backtest["net_pnl"] == float(shown.metrics.net_pnl or 0)
    assert backtest["total_trades"] == shown.metrics.total_trades
    assert backtest["bars_hash"] == run.bars_hash
    assert backtest["data_label"] == "SIMULATED"
    assert (backtest["strategy"], backtest["version"]) == ("sma_cross", 1)
    assert backtest["parameters"] == shown.params == {"fast": 20, "slow": 100}
    assert str(backtest["equity"]).startswith("![one (SIMULATED)")
    assert "data:image/png;base64," in str(backtest["equity"])
    assert metadata_of(january, instance, ROLLUPS, bot_id)["net_pnl"] == float(shown.metrics.net_pnl or 0)
    assert metadata_of(january, instance, SCORES, bot_id)["autonomy_score"] == shown.autonomy_score
    assert run.run_id == done.run_ids[0]


def test_every_rule_is_a_check_that_ran(january: Domain, instance: DagsterInstance) -> None:
    bot_id = new_bot(january.tx, "checked")
    done = materialize_bots([bot_id], tx=january.tx, store=january.store, instance=instance)
    records = instance.get_records_for_run(done.run_ids[0], of_type=Happened.ASSET_CHECK_EVALUATION).records
    ran = {record.event_log_entry.get_dagster_event().asset_check_evaluation_data.check_name for record in records}
    assert ran == {rule.name for rule in RULES}


def test_a_bot_that_fails_fails_alone_and_the_run_names_it(january: Domain, instance: DagsterInstance) -> None:
    good, bad, also_good = new_bot(january.tx, "a"), new_bot(january.tx, "b", symbol="NQ"), new_bot(january.tx, "c")
    reported: list[GradedBot] = []
    done = materialize_bots(
        [good, bad, also_good], tx=january.tx, store=january.store, instance=instance, on_graded=reported.append
    )
    assert not done.ok
    assert tuple(reported) == done.bots
    by_bot = {bot.bot_id: bot for bot in done.bots}
    assert [by_bot[bot_id].status for bot_id in (good, bad, also_good)] == [
        JobStatus.COMPLETED,
        JobStatus.FAILED,
        JobStatus.COMPLETED,
    ]
    error = by_bot[bad].error
    assert error is not None
    assert error.code is ErrorCode.DATA_UNAVAILABLE
    assert instance.get_materialized_partitions(BASELINES) == set(keys_in_order(january.tx, [good, also_good]))
    run = instance.get_run_by_id(done.run_ids[0])
    assert run is not None
    assert run.status is DagsterRunStatus.FAILURE
    failures = instance.get_records_for_run(run.run_id, of_type=Happened.STEP_FAILURE).records
    failure = failures[0].event_log_entry.get_dagster_event().step_failure_data.user_failure_data
    assert failure is not None
    assert str(bad) in str(failure)
    assert str(failure.description).startswith("1 of 3 bots failed; the others are done.")
    assert (failure.metadata["jobs_done"].value, failure.metadata["jobs_failed"].value) == (3, 1)
    assert (run.tags[DONE_TAG], run.tags[FAILED_TAG]) == ("3", "1")


def test_a_bot_archived_since_its_run_was_asked_for_fails_alone(
    january: Domain, instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    archived, kept = keys_in_order(january.tx, [new_bot(january.tx, name) for name in ("archived", "kept")])
    instance.add_dynamic_partitions("bots", [archived, kept])
    owner_sql("UPDATE bots SET archived_at = now() WHERE name = 'archived'")
    done = materialize(
        [historical_bars, bot_grades],
        selection=AssetSelection.assets(BASELINES, ROLLUPS, SCORES),
        instance=instance,
        resources={"domain": january},
        tags={RANGE_START_TAG: archived, RANGE_END_TAG: kept},
        raise_on_error=False,
    )
    assert not done.success
    assert instance.get_materialized_partitions(BASELINES) == {kept}


def test_a_partition_of_no_bot_fails_alone_and_the_former_key_of_a_bot_still_finds_it(
    january: Domain, instance: DagsterInstance
) -> None:
    former = str(new_bot(january.tx, "one"))
    instance.add_dynamic_partitions("bots", [former, "nobody-00000000"])
    done = materialize(
        [historical_bars, bot_grades],
        selection=AssetSelection.assets(BASELINES, ROLLUPS, SCORES),
        instance=instance,
        resources={"domain": january},
        tags={RANGE_START_TAG: former, RANGE_END_TAG: "nobody-00000000"},
        raise_on_error=False,
    )
    assert not done.success
    assert instance.get_materialized_partitions(BASELINES) == set(keys_in_order(january.tx, [UUID(former)]))
    failure = str(done.failure_data_for_node("bot_grades").user_failure_data)  # type: ignore[union-attr]
    assert "nobody-00000000: NOT_FOUND: No bot has this partition." in failure


def test_bots_that_are_not_neighbours_take_a_run_each_range_and_no_other_bot_is_graded(
    january: Domain, instance: DagsterInstance
) -> None:
    ids = [new_bot(january.tx, name) for name in ("a", "b", "c")]
    instance.add_dynamic_partitions("bots", keys_in_order(january.tx, ids))
    done = materialize_bots([ids[0], ids[2]], tx=january.tx, store=january.store, instance=instance)
    assert len(done.run_ids) == 2
    assert {bot.bot_id for bot in done.bots} == {ids[0], ids[2]}
    with january.tx() as session:
        assert page_sessions(session, ids[1], after=None, limit=1).rows == []


def test_an_unknown_bot_is_refused_before_anything_is_done(january: Domain, instance: DagsterInstance) -> None:
    bot_id = new_bot(january.tx, "known")
    with pytest.raises(GantryError) as caught:
        materialize_bots([bot_id, uuid4()], tx=january.tx, store=january.store, instance=instance)
    assert caught.value.code is ErrorCode.NOT_FOUND
    assert instance.get_dynamic_partitions("bots") == []
    with january.tx() as session:
        assert page_sessions(session, bot_id, after=None, limit=1).rows == []


def test_rollups_and_scores_alone_are_derived_anew_without_another_backtest(
    january: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(january.tx, "again")
    materialize_bots([bot_id], tx=january.tx, store=january.store, instance=instance)
    before = metadata_of(january, instance, ROLLUPS, bot_id)
    again = materialize(
        [historical_bars, bot_grades],
        selection=AssetSelection.assets(ROLLUPS, SCORES),
        partition_key=keys_in_order(january.tx, [bot_id])[0],
        instance=instance,
        resources={"domain": january},
    )
    assert again.success
    assert metadata_of(january, instance, ROLLUPS, bot_id) == before
    assert len(instance.fetch_materializations(BASELINES, limit=10).records) == 1
    with january.tx() as session:
        assert len(page_sessions(session, bot_id, after=None, limit=10).rows) == 1
