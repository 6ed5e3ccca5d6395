"""The asset of bars reads what the catalogue names, and refuses what it doesn't."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, materialize

from assets.bars import bars_fit_for_backtests, historical_bars
from assets.bars_check import BARS_CHECK
from assets.domain import Domain
from assets.partitions import SymbolMonth, symbol_month
from services.bars.load import list_months
from services.bars.simulate import simulate_months
from services.supply.top_up import Supply
from tests.factories.checks_shown import shown

NOW = datetime(2024, 2, 5, tzinfo=UTC)
JANUARY = SymbolMonth("ES", "2024-01")


def made(
    domain: Domain, instance: DagsterInstance, *, checked: bool = False, key: str = JANUARY.key
) -> ExecuteInProcessResult:
    instance.add_dynamic_partitions("symbol_months", [key])
    return materialize(
        [historical_bars, *([bars_fit_for_backtests] if checked else [])],
        partition_key=key,
        instance=instance,
        resources={"domain": domain},
        raise_on_error=False,
    )


def failure_of(result: ExecuteInProcessResult) -> str:
    return str(result.failure_data_for_node("historical_bars").user_failure_data)  # type: ignore[union-attr]


def test_a_partition_key_names_symbol_and_month_both_ways() -> None:
    assert JANUARY.key == "2024-01|ES"
    assert symbol_month(JANUARY.key) == JANUARY


def test_a_month_in_use_is_reported_with_hash_provenance_and_verdict(domain: Domain, instance: DagsterInstance) -> None:
    (report,) = simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    (event,) = made(domain, instance).asset_materializations_for_node("historical_bars")
    assert event.metadata["content_hash"].value == report.content_hash
    assert event.metadata["bars_count"].value == report.bars_count
    assert event.metadata["data_label"].value == "SIMULATED"
    assert event.partition == JANUARY.key


def test_a_missing_month_is_simulated_only_where_bars_are_simulated(domain: Domain, instance: DagsterInstance) -> None:
    closed = Domain(domain.tx, domain.store, actor="test", supply=Supply(simulates=False))
    refused = made(closed, instance)
    assert not refused.success
    assert "DATA_UNAVAILABLE" in failure_of(refused)
    assert list_months(domain.tx) == []
    assert made(domain, instance).success
    assert [(row.symbol, row.month) for row in list_months(domain.tx)] == [("ES", "2024-01")]


def test_the_check_is_shown_for_all_months_after_one_is_materialized_by_hand(
    domain: Domain, instance: DagsterInstance
) -> None:
    simulate_months(domain.tx, domain.store, ["ES", "NQ"], ["2024-01"], actor="test", now=NOW)
    assert made(domain, instance).success
    found = shown(instance, BARS_CHECK)
    assert found is not None
    assert (found.passed, found.description) == (True, "0 of 2 months are unfit.")


@pytest.mark.parametrize("key", ["2024-13|ES", "ES|2024-01", "2024-01", "2024-01|NOPE"])
def test_a_partition_a_person_mistyped_is_refused_with_the_right_form(
    domain: Domain, instance: DagsterInstance, key: str
) -> None:
    refused = made(domain, instance, key=key)
    assert not refused.success
    assert "VALIDATION_FAILED" in failure_of(refused)
    assert list_months(domain.tx) == []


def test_a_file_that_was_changed_behind_the_catalogues_back_is_refused(
    domain: Domain, instance: DagsterInstance, tmp_path: Path
) -> None:
    simulate_months(domain.tx, domain.store, ["ES", "NQ"], ["2024-01"], actor="test", now=NOW)
    es, nq = list_months(domain.tx)
    (tmp_path / "bars" / es.path).write_bytes((tmp_path / "bars" / nq.path).read_bytes())
    result = made(domain, instance)
    assert not result.success
    assert "DATA_QUALITY_FAILED" in failure_of(result)


@pytest.mark.slow
def test_great_expectations_judge_the_month(domain: Domain, instance: DagsterInstance) -> None:
    simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    result = made(domain, instance, checked=True)
    assert result.success
    (done,) = result.get_asset_check_evaluations()
    assert done.passed
    assert done.metadata["partition"].value == JANUARY.key
    found = shown(instance, BARS_CHECK)
    assert found is not None
    assert (found.passed, found.description) == (True, "0 of 1 months are unfit.")
