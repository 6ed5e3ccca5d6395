"""A check is shown failed while any current bot fails it, in whatever order bots are materialized."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetSelection,
    DagsterInstance,
    DagsterRunStatus,
    SkipReason,
    TableMetadataValue,
    asset,
    build_sensor_context,
    materialize,
)

from assets.bars import historical_bars
from assets.bot_checks import BASELINES, ROLLUPS, RULES, SCORES
from assets.bots import bot_grades
from assets.domain import Domain
from assets.materialize import RANGE_END_TAG, RANGE_START_TAG
from core.ids import new_id
from fleet.closed_sets import BacktestKind, MetricsScope, Tier
from orchestration.definitions import defs
from orchestration.jobs import worker
from orchestration.sensors.fleet_checks import fleet_checks
from services.bars.simulate import simulate_months
from services.bots.change import archive_bot
from services.bots.create import NewBot, create_bot
from services.bots.read import get_bot
from services.jobs.enqueue import enqueue_job
from services.resets.reset import ResetRequest, reset_metrics
from services.supply.top_up import Supply
from tests.factories.checks_shown import shown
from tests.factories.databases import OwnerSql
from tests.factories.judged import make_judged
from tests.factories.leaks import Faulty, next_close
from tests.factories.partitions import keys_in_order
from tests.factories.sensors import tick
from trading.backtest.findings import Check
from trading.strategies.registry import STRATEGIES

NOW = datetime(2024, 2, 5, tzinfo=UTC)
KEYS = {rule.name: rule.spec.key for rule in RULES}
LOOK_AHEAD = KEYS["look_ahead_guards_passed"]
TRADES_SUM = KEYS["trades_sum_to_net_pnl"]
CHEAT = Faulty.name


@pytest.fixture(autouse=True)
def cheat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy that reads the next bar."""
    monkeypatch.setitem(STRATEGIES, CHEAT, Faulty(next_close))


@pytest.fixture
def january(domain: Domain) -> Domain:
    """A month of simulated ES bars is there."""
    simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    return domain


def new_bot(domain: Domain, name: str, strategy: str = "sma_cross", symbol: str = "ES") -> UUID:
    with domain.tx() as session:
        return create_bot(session, NewBot(name, symbol, strategy), actor="test", now=NOW)


def pulled(domain: Domain, instance: DagsterInstance, *bot_ids: UUID) -> None:
    """Let a worker run grade these bots, each in a chunk of its own."""
    with domain.tx() as session:
        for bot_id in bot_ids:
            enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")
    (request,) = tick(domain, instance)
    single = replace(domain, terms=replace(domain.terms, chunk=1))
    ran = worker.execute_in_process(
        instance=instance, resources={"domain": single}, tags=request.tags, run_id=str(new_id())
    )
    assert ran.success


def judged(domain: Domain, name: str, *failed: Check) -> UUID:
    """Return a bot that was graded, and whose session fails these checks; Dagster does not know of it yet."""
    with domain.tx() as session:
        return make_judged(session, name, failed=failed).id


def clicked(domain: Domain, instance: DagsterInstance, bot_ids: Sequence[UUID], *assets: AssetKey) -> bool:
    """Materialize these bots' partitions, as the button does."""
    keys = keys_in_order(domain.tx, bot_ids)
    instance.add_dynamic_partitions("bots", keys)
    return materialize(
        [historical_bars, bot_grades],
        selection=AssetSelection.assets(*(assets or (BASELINES, ROLLUPS, SCORES))),
        instance=instance,
        resources={"domain": domain},
        tags={RANGE_START_TAG: keys[0], RANGE_END_TAG: keys[-1]},
        raise_on_error=False,
    ).success


def looked(domain: Domain, instance: DagsterInstance) -> str:
    """Let the sensor of the checks look once."""
    with build_sensor_context(instance, resources={"domain": domain}) as context:
        result = fleet_checks(context)
    assert isinstance(result, SkipReason)
    return result.skip_message or ""


def rows_of(found: AssetCheckEvaluation) -> list[Mapping[str, object]]:
    table = found.metadata["failed"]
    assert isinstance(table, TableMetadataValue)
    return [record.data for record in table.records]


def failed_bots(instance: DagsterInstance) -> list[str]:
    found = shown(instance, LOOK_AHEAD)
    assert found is not None, "not evaluated"
    rows = rows_of(found)
    assert found.metadata["bots_failed"].value == len(rows)
    assert found.passed is not bool(rows)
    return [str(row["bot"]) for row in rows]


def test_a_bot_that_reads_ahead_fails_the_check_by_name_and_a_later_chunk_of_an_honest_one_leaves_it_so(
    january: Domain, instance: DagsterInstance
) -> None:
    cheats = new_bot(january, "cheat one", CHEAT)
    pulled(january, instance, cheats, new_bot(january, "honest"))
    found = shown(instance, LOOK_AHEAD)
    assert found is not None
    assert not found.passed
    assert found.metadata["bots_checked"].value == 2
    assert found.metadata["bots_failed"].value == 1
    (row,) = rows_of(found)
    assert row["bot"] == "cheat one"
    assert row["partition"] == keys_in_order(january.tx, [cheats])[0]
    assert row["bot_id"] == str(cheats)
    assert "shift" in str(row["checks"])
    assert (found.description or "").startswith("1 of 2 graded bots fail: cheat one (")
    assert shown(instance, TRADES_SUM) is None, "nobody summed raw rows yet"
    with january.tx() as session:
        locked = get_bot(session, cheats, now=NOW)
    assert (locked.autonomy_tier, locked.locked_by) == (Tier.LOCKED, "LOOK_AHEAD"), "as in the fleet, so in Dagster"


def test_materializing_an_honest_bot_by_hand_leaves_the_check_failed_and_shown(
    january: Domain, instance: DagsterInstance
) -> None:
    judged(january, "cheat one", Check.SHIFT)
    looked(january, instance)
    honest = new_bot(january, "honest")
    for assets in ((BASELINES, ROLLUPS, SCORES), (ROLLUPS, SCORES), (BASELINES,)):
        assert clicked(january, instance, [honest], *assets)
        assert failed_bots(instance) == ["cheat one"]
        assert {name for name, key in KEYS.items() if shown(instance, key) is None} == set()


def test_a_run_in_which_every_bot_fails_leaves_every_check_as_it_was(domain: Domain, instance: DagsterInstance) -> None:
    judged(domain, "cheat one", Check.TRUNCATION)
    looked(domain, instance)
    closed = replace(domain, supply=Supply(simulates=False))
    assert not clicked(closed, instance, [new_bot(closed, "without bars")])
    assert failed_bots(instance) == ["cheat one"]


def test_what_a_materialization_without_a_report_blanks_is_shown_again_at_the_sensors_next_look(
    domain: Domain, instance: DagsterInstance
) -> None:
    @asset(key=BASELINES)
    def killed_worker() -> None:
        """Materializes, and ends before its report."""

    judged(domain, "cheat one", Check.SHIFT)
    looked(domain, instance)
    assert materialize([killed_worker], instance=instance).success
    assert shown(instance, LOOK_AHEAD) is None
    looked(domain, instance)
    assert failed_bots(instance) == ["cheat one"]


def test_a_run_that_was_canceled_before_its_checks_ran_is_no_verdict(domain: Domain, instance: DagsterInstance) -> None:
    judged(domain, "cheat one", Check.SHIFT)
    looked(domain, instance)
    instance.create_run_for_job(defs.resolve_job_def("grade_bots"), status=DagsterRunStatus.CANCELED)
    assert shown(instance, LOOK_AHEAD) is None, "Dagster shows the run that planned to check"
    looked(domain, instance)
    assert failed_bots(instance) == ["cheat one"]


def test_once_the_failing_bot_is_archived_the_check_passes(domain: Domain, instance: DagsterInstance) -> None:
    cheats = judged(domain, "cheat one", Check.SHIFT)
    judged(domain, "honest")
    looked(domain, instance)
    assert failed_bots(instance) == ["cheat one"]
    with domain.tx() as session:
        archive_bot(session, cheats, actor="test", now=NOW)
    looked(domain, instance)
    assert failed_bots(instance) == []


def test_after_a_reset_of_all_no_bot_fails(domain: Domain, instance: DagsterInstance) -> None:
    judged(domain, "cheat one", Check.SHIFT)
    looked(domain, instance)
    with domain.tx() as session:
        reset_metrics(session, ResetRequest(MetricsScope.ALL, None, "TEST"), dry_run=False, actor="admin", now=NOW)
    looked(domain, instance)
    assert failed_bots(instance) == []
    found = shown(instance, LOOK_AHEAD)
    assert found is not None
    assert found.description == "No active bot was judged."


def test_raw_rows_are_summed_at_the_sensors_look_and_a_difference_names_its_bot(
    domain: Domain, instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    judged(domain, "honest")
    looked(domain, instance)
    found = shown(instance, TRADES_SUM)
    assert found is not None
    assert found.passed
    judged(domain, "tampered")
    owner_sql("ALTER TABLE trade_logs DISABLE TRIGGER insert_only")
    owner_sql(
        "DELETE FROM trade_logs t USING bots b WHERE b.id = t.bot_id AND b.name = 'tampered' AND t.seq = 0",
    )
    looked(domain, instance)
    found = shown(instance, TRADES_SUM)
    assert found is not None
    assert not found.passed
    assert found.description == "1 of 2 graded bots fail: tampered (TRADES_DIFFER)."


def test_a_look_at_a_fleet_that_did_not_change_writes_nothing(
    domain: Domain, instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    rows = "SELECT count(*) FROM dagster.asset_check_executions"
    assert looked(domain, instance) == "0 checks were reported."
    assert owner_sql(rows) == [(0,)], "a fleet without a graded bot has nothing to show"
    judged(domain, "honest")
    assert looked(domain, instance) == "5 checks were reported."
    assert looked(domain, instance) == "0 checks were reported."
    assert owner_sql(rows) == [(5,)]
