"""Improvements in Dagster: requested in the UI or pulled by a worker, each bot reported apart, old and new together."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from dagster import AssetRecordsFilter, AssetSelection, DagsterInstance, ExecuteInProcessResult, RunRequest, materialize

from assets.bars import historical_bars
from assets.bots import bot_grades
from assets.domain import Domain
from assets.improve import improvements
from assets.improve_events import IMPROVEMENTS
from assets.materialize import RANGE_END_TAG, RANGE_START_TAG
from fleet.closed_sets import BacktestKind, JobStatus, JobType
from orchestration.definitions import defs
from orchestration.jobs import worker
from services.backtests.grade import grade_bots
from services.backtests.results import page_sessions
from services.bots.change import archive_bot
from services.bots.create import NewBot, create_bot
from services.improve.bots import improve_bots
from services.improve.read import page_improvements
from services.improve.run import ImprovedBot
from services.jobs.enqueue import enqueue_job
from services.jobs.terms import GradeTerms
from tests.factories import edge_bars
from tests.factories.databases import OwnerSql
from tests.factories.partitions import keys_in_order
from tests.factories.sensors import NOW, tick
from trading.improve.limits import Budget


@pytest.fixture
def january(domain: Domain) -> Domain:
    """A month of ES bars with an edge is there, and improvements are small."""
    edge_bars.put_in_use(domain.tx, domain.store, edge_bars.swinging(), now=NOW)
    return replace(domain, terms=GradeTerms(improve=Budget(sets=16, folds=3), wait_elsewhere_s=0.2))


def new_bot(domain: Domain, name: str, symbol: str = "ES", period: int = 600) -> UUID:
    with domain.tx() as session:
        new = NewBot(name, symbol, "bollinger_reversion", params={"period": period})
        return create_bot(session, new, actor="test", now=NOW)


def asked_for(domain: Domain, instance: DagsterInstance, *bot_ids: UUID) -> ExecuteInProcessResult:
    keys = keys_in_order(domain.tx, bot_ids)
    instance.add_dynamic_partitions("bots", keys)
    return materialize(
        [historical_bars, bot_grades, improvements],
        selection=AssetSelection.assets(IMPROVEMENTS),
        instance=instance,
        resources={"domain": domain},
        tags={RANGE_START_TAG: keys[0], RANGE_END_TAG: keys[-1]},
        raise_on_error=False,
    )


def metadata_of(domain: Domain, instance: DagsterInstance, bot_id: UUID) -> dict[str, object]:
    wanted = AssetRecordsFilter(asset_key=IMPROVEMENTS, asset_partitions=keys_in_order(domain.tx, [bot_id]))
    (record,) = instance.fetch_materializations(wanted, limit=1).records
    made = record.asset_materialization
    assert made is not None
    return {name: value.value for name, value in made.metadata.items()}


def test_improvements_are_an_asset_of_their_own_behind_the_metrics() -> None:
    graph = defs.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get(IMPROVEMENTS).parent_keys} == {"metric_rollups"}


def test_materialized_from_the_ui_each_bot_is_improved_and_reported_with_old_and_new(
    january: Domain, instance: DagsterInstance
) -> None:
    one, two = new_bot(january, "one"), new_bot(january, "two", period=60)
    assert asked_for(january, instance, one, two).success
    for bot_id in (one, two):
        shown = metadata_of(january, instance, bot_id)
        with january.tx() as session:
            (row,) = page_improvements(session, bot_id, after=None, limit=1).rows
        assert (shown["verdict"], shown["reason"]) == (row.verdict, row.reason_code)
        assert (shown["old_net_usd"], shown["new_net_usd"]) == (float(row.old.net_usd), float(row.new.net_usd))
        assert (shown["old_sharpe"], shown["new_sharpe"]) == (row.old.sharpe, row.new.sharpe)
        assert (shown["sets_tried"], shown["data_label"]) == (row.sets_tried, "IMPORTED")
        assert shown["adopted"] == int(row.version_id is not None)


def test_a_bot_without_bars_fails_alone_and_the_run_names_it(january: Domain, instance: DagsterInstance) -> None:
    good, bad, gone = new_bot(january, "a"), new_bot(january, "b", symbol="NQ"), new_bot(january, "c")
    with january.tx() as session:
        archive_bot(session, gone, actor="test", now=NOW)
    done = asked_for(january, instance, good, bad, gone)
    assert not done.success
    assert instance.get_materialized_partitions(IMPROVEMENTS) == set(keys_in_order(january.tx, [good]))
    failed = str(done.failure_data_for_node("bot_improvements").user_failure_data)  # type: ignore[union-attr]
    assert (str(bad) in failed, str(gone) in failed, str(good) in failed) == (True, True, False)


def improve(domain: Domain, *bot_ids: UUID) -> Sequence[ImprovedBot]:
    return improve_bots(
        domain.tx, domain.store, bot_ids, run_id="run", actor="test", terms=domain.terms, on_progress=lambda _bot: None
    )


def test_a_job_that_waits_already_is_the_one_that_is_run(january: Domain) -> None:
    bot_id = new_bot(january, "one")
    with january.tx() as session:
        job_id = enqueue_job(session, bot_id, kind=None, actor="test", job_type=JobType.EVOLVE)
    (ended,) = improve(january, bot_id)
    assert (ended.job_id, ended.job_type, ended.status) == (job_id, JobType.EVOLVE, JobStatus.COMPLETED)


def test_a_bot_that_is_backtested_elsewhere_for_too_long_is_given_up(january: Domain) -> None:
    bot_id = new_bot(january, "one")
    with january.tx() as session:
        job_id = enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
    (ended,) = improve(january, bot_id)
    assert (ended.job_id, ended.status) == (job_id, JobStatus.RUNNING)
    assert ended.error is not None


def test_a_bot_that_was_backtested_elsewhere_is_improved_after_that(january: Domain, owner_sql: OwnerSql) -> None:
    bot_id = new_bot(january, "one")
    with january.tx() as session:
        backtest = enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
    domain = replace(january, terms=replace(january.terms, wait_elsewhere_s=20.0))

    def canceled() -> None:
        owner_sql("UPDATE bot_jobs SET status = 'CANCELED', completed_at = clock_timestamp() WHERE id = %s", backtest)

    threading.Timer(0.5, canceled).start()
    (ended,) = improve(domain, bot_id)
    assert (ended.job_id != backtest, ended.job_type, ended.status) == (True, JobType.IMPROVE, JobStatus.COMPLETED)


def test_a_bot_that_is_archived_while_its_backtest_is_waited_for_fails_alone(january: Domain) -> None:
    one, two = new_bot(january, "one"), new_bot(january, "two")
    with january.tx() as session:
        enqueue_job(session, two, kind=BacktestKind.BASELINE, actor="test")

    def archived(bot: ImprovedBot) -> None:
        if bot.bot_id == one:
            with january.tx() as session:
                archive_bot(session, two, actor="test", now=NOW)

    terms = replace(january.terms, wait_elsewhere_s=20.0)
    ended = improve_bots(
        january.tx, january.store, (one, two), run_id="run", actor="test", terms=terms, on_progress=archived
    )
    assert [bot.status for bot in ended] == [JobStatus.COMPLETED, JobStatus.CANCELED]


def test_a_backtest_that_is_asked_for_while_the_bot_is_improved_comes_after_that(january: Domain) -> None:
    bot_id = new_bot(january, "one")
    with january.tx() as session:
        enqueue_job(session, bot_id, kind=None, actor="test", job_type=JobType.IMPROVE)
    threading.Timer(0.5, lambda: improve(january, bot_id)).start()
    terms = replace(january.terms, wait_elsewhere_s=20.0)
    (graded,) = grade_bots(january.tx, january.store, [bot_id], run_id="run", actor="test", now=NOW, terms=terms).bots
    assert graded.status is JobStatus.COMPLETED
    assert graded.session_id is not None
    assert graded.metrics is not None
    with january.tx() as session:
        (row,) = page_improvements(session, bot_id, after=None, limit=9).rows
        (backtest,) = page_sessions(session, bot_id, after=None, limit=9).rows
    adopted_or_kept = row.version_id or row.base_version_id
    assert (backtest.id, backtest.version_id) == (graded.session_id, adopted_or_kept)


def test_a_worker_run_for_improvements_is_asked_for_by_tag_and_tells_of_each(
    january: Domain, instance: DagsterInstance
) -> None:
    bot_id = new_bot(january, "one")
    instance.add_dynamic_partitions("bots", keys_in_order(january.tx, [bot_id]))
    with january.tx() as session:
        enqueue_job(session, bot_id, kind=None, actor="test", job_type=JobType.IMPROVE)
    (asked,) = tick(january, instance)
    assert isinstance(asked, RunRequest)
    assert asked.tags["gantry/job_type"] == "IMPROVE"
    done = worker.execute_in_process(instance=instance, resources={"domain": january}, tags=asked.tags)
    assert done.success
    with january.tx() as session:
        (row,) = page_improvements(session, bot_id, after=None, limit=9).rows
    assert metadata_of(january, instance, bot_id)["improvement_id"] == str(row.id)
