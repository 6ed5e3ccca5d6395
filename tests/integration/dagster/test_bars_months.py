"""Months of bars in Dagster: those that are there, and those that a bot wants."""

from dataclasses import replace
from uuid import UUID

from dagster import DagsterInstance, SensorResult, SkipReason, build_sensor_context

from assets.domain import Domain
from core.clock import utc_now
from orchestration.sensors.bars_months import bars_months
from services.bars.simulate import simulate_months
from services.bots.change import archive_bot
from services.bots.create import NewBot, create_bot
from services.supply.top_up import Supply
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
