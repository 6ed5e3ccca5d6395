"""A missing month that is materialized is fetched from a vendor; the key is never shown."""

import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, materialize

from assets.bars import bars_fit_for_backtests, historical_bars
from assets.domain import Domain
from assets.partitions import SymbolMonth
from integrations.databento.client import DatabentoBars
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.supply.top_up import Supply
from services.usage import UsageLog
from sql.embedded import RunningState
from sql.engine import Transactions
from tests.factories.databases import OwnerSql
from tests.standins.databento import DatabentoStandIn
from tests.standins.faults import Fault
from trading.instruments import get_instrument

MONTH = SymbolMonth("ES", "2024-01")
POLICY = CallPolicy(deadline_s=3, attempts=2, backoff_s=0.05, calls_per_minute=60_000, burst=100)


@pytest.fixture
def vendor() -> Iterator[DatabentoStandIn]:
    with DatabentoStandIn({"ES": simulate_month(get_instrument("ES"), MONTH.month, 7)}) as found:
        yield found


@pytest.fixture
def vendors(tx: Transactions, store: BarsStore, vendor: DatabentoStandIn) -> Domain:
    gate = ProviderGate("databento", POLICY, UsageLog(tx), Limiter(None))
    source = DatabentoBars(vendor.key, gate, base_url=vendor.url)
    return Domain(tx, store, actor="test", supply=Supply([source]))


def made(domain: Domain, instance: DagsterInstance) -> ExecuteInProcessResult:
    instance.add_dynamic_partitions("symbol_months", [MONTH.key])
    return materialize(
        [historical_bars, bars_fit_for_backtests],
        partition_key=MONTH.key,
        instance=instance,
        resources={"domain": domain},
        raise_on_error=False,
    )


def test_a_missing_month_is_fetched_checked_and_reported_with_its_source(
    vendors: Domain, instance: DagsterInstance, owner_sql: OwnerSql
) -> None:
    result = made(vendors, instance)
    assert result.success
    (event,) = result.asset_materializations_for_node("historical_bars")
    assert (event.metadata["provider"].value, event.metadata["data_label"].value) == ("databento", "VENDOR")
    assert owner_sql("SELECT DISTINCT run_id FROM integration_usage_events") == [(result.run_id,)]
    calls = owner_sql("SELECT count(*) FROM integration_usage_events")
    assert made(vendors, instance).success
    assert owner_sql("SELECT count(*) FROM integration_usage_events") == calls


@pytest.mark.parametrize("fault", [Fault.ECHOED_KEY, Fault.UNAUTHORIZED, Fault.HTML, Fault.SERVER_ERROR, Fault.RESET])
def test_the_key_is_in_no_log_row_error_file_or_event(
    vendors: Domain,
    vendor: DatabentoStandIn,
    instance: DagsterInstance,
    database: RunningState,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    fault: Fault,
) -> None:
    vendor.script(fault, times=None)
    with caplog.at_level(logging.DEBUG):
        result = made(vendors, instance)
    assert not result.success
    reported = [caplog.text, *capfd.readouterr(), everything_in(database)]
    reported += [str(record) for record in instance.all_logs(result.run_id)]
    reported += [path.read_bytes().decode(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert vendor.calls
    assert [text for text in reported if vendor.key in text] == []


def everything_in(database: RunningState) -> str:
    """Every row of every table, as text."""
    with psycopg.connect(database.owner_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [connection.execute(f'SELECT t::text FROM "{table}" t'.encode()).fetchall() for (table,) in tables]
    return "\n".join(row for found in rows for (row,) in found)
