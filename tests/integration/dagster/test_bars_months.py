"""Months of bars in Dagster: those that are there, and those that a bot wants; a check over all that are in use."""

from dataclasses import replace
from uuid import UUID

from dagster import DagsterInstance, SensorResult, SkipReason, build_sensor_context

from assets.bars_check import BARS_CHECK, report_bars
from assets.domain import Domain
from assets.months import read_months
from core.clock import utc_now
from fleet.closed_sets import QualityVerdict
from orchestration.sensors.bars_months import bars_months
from services.bars.simulate import simulate_months
from services.bots.change import archive_bot
from services.bots.create import NewBot, create_bot
from services.supply.top_up import Supply
from tests.factories.bars_months import make_month
from tests.factories.checks_shown import shown
from tests.factories.sensors import NOW
from tests.fakes.bars_source import PricedSource
from trading.months import full_months_before


def new_bot(domain: Domain, name: str, symbol: str, start: str | None = None, end: str | None = None) -> UUID:
    with domain.tx() as session:
        return create_bot(
            session, NewBot(name, symbol, "sma_cross", window_start=start, window_end=end), actor="test", now=NOW
        )


def look_at_months(
    domain: Domain, instance: DagsterInstance, cursor: str | None = None
) -> tuple[SensorResult | SkipReason, str]:
    """Let the sensor of the months look once; return its result, and the cursor it leaves."""
    with build_sensor_context(instance, cursor=cursor, resources={"domain": domain}) as context:
        result = bars_months(context)
        assert isinstance(result, SensorResult | SkipReason)
        left = result.cursor if isinstance(result, SensorResult) else context.cursor
    assert left is not None
    return result, left


def test_months_that_are_there_or_wanted_are_partitions_and_no_others(
    domain: Domain, instance: DagsterInstance
) -> None:
    simulate_months(domain.tx, domain.store, ["NQ", "ES"], ["2024-01"], actor="test", now=NOW)
    wanting = new_bot(domain, "window", "CL", "2023-12", "2024-01")
    new_bot(domain, "open window", "GC")
    _result, cursor = look_at_months(domain, instance)
    there, wanted = ["2024-01|ES", "2024-01|NQ"], ["2023-12|CL", "2024-01|CL"]
    assert instance.get_dynamic_partitions("symbol_months") == [*wanted, *there]
    with domain.tx() as session:
        archive_bot(session, wanting, actor="test", now=NOW)
    look_at_months(domain, instance, cursor)
    assert instance.get_dynamic_partitions("symbol_months") == there


def test_a_vendor_makes_the_months_of_open_windows_wanted(domain: Domain, instance: DagsterInstance) -> None:
    new_bot(domain, "open window", "GC")
    supplied = replace(domain, supply=Supply([PricedSource()], history_months=3))
    look_at_months(supplied, instance)
    months = instance.get_dynamic_partitions("symbol_months")
    assert months == [f"{month}|GC" for month in full_months_before(utc_now(), 3)]


def test_a_month_that_a_person_added_stays_until_it_is_there(domain: Domain, instance: DagsterInstance) -> None:
    instance.add_dynamic_partitions("symbol_months", ["2024-01|ES"])
    _result, cursor = look_at_months(domain, instance)
    assert instance.get_dynamic_partitions("symbol_months") == ["2024-01|ES"]
    simulate_months(domain.tx, domain.store, ["ES"], ["2024-01"], actor="test", now=NOW)
    result, _cursor = look_at_months(domain, instance, cursor)
    assert isinstance(result, SensorResult)
    assert instance.get_dynamic_partitions("symbol_months") == ["2024-01|ES"]


def shown_of_months(instance: DagsterInstance) -> tuple[bool, str | None]:
    found = shown(instance, BARS_CHECK)
    assert found is not None, "not evaluated"
    return found.passed, found.description


def test_a_month_found_unfit_fails_the_check_until_its_content_is_another(
    domain: Domain, instance: DagsterInstance
) -> None:
    simulate_months(domain.tx, domain.store, ["ES", "NQ"], ["2024-01"], actor="test", now=NOW)
    _result, cursor = look_at_months(domain, instance)
    _result, cursor = look_at_months(domain, instance, cursor)
    assert shown_of_months(instance) == (True, "0 of 2 months are unfit.")
    nq = read_months(domain.tx, symbol="NQ")[0]
    report_bars(instance, domain.tx, [(nq, "No volume is negative: 3 bars")])
    simulate_months(domain.tx, domain.store, ["ES"], ["2023-12"], actor="test", now=NOW)
    for _ in range(2):
        _result, cursor = look_at_months(domain, instance, cursor)
    unfit = "1 of 3 months are unfit: 2024-01|NQ (No volume is negative: 3 bars)."
    assert shown_of_months(instance) == (False, unfit), "another month that came in is no reason to forget it"
    simulate_months(domain.tx, domain.store, ["NQ"], ["2024-01"], seed=8, actor="test", now=NOW)
    for _ in range(2):
        _result, cursor = look_at_months(domain, instance, cursor)
    assert shown_of_months(instance) == (True, "0 of 3 months are unfit.")


def test_a_month_the_catalogue_blocks_fails_the_check_with_its_problems(
    domain: Domain, instance: DagsterInstance
) -> None:
    with domain.tx() as session:
        problems = {"problems": [{"code": "OFF_GRID", "message": "Prices are off the grid."}]}
        make_month(session, quality=QualityVerdict.BLOCKED, quality_report=problems)
        make_month(session, "NQ", content_hash="e" * 64)
    report_bars(instance, domain.tx)
    assert shown_of_months(instance) == (False, "1 of 2 months are unfit: 2024-01|ES (blocked: OFF_GRID).")


def test_without_any_month_nothing_is_shown(domain: Domain, instance: DagsterInstance) -> None:
    report_bars(instance, domain.tx)
    look_at_months(domain, instance)
    assert shown(instance, BARS_CHECK) is None
