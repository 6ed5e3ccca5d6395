"""Settings say who supplies bars: each configured vendor behind a gate of its own, or the simulator."""

from decimal import Decimal
from pathlib import Path

import pytest

from core.settings import Settings
from integrations.databento.client import DatabentoBars
from integrations.polygon.client import PolygonBars
from integrations.registry import BARS_VENDORS
from services.supply.sources import sources_of, supply_of
from sql.engine import Transactions, connect, transactions
from tests.factories.providers import forget_providers


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Transactions:
    """Transactions on no server: a client made here sends nothing yet."""
    forget_providers(monkeypatch)
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path))
    return transactions(connect("postgresql://nobody@127.0.0.1:1/none"))


def test_each_configured_vendor_has_its_client_in_the_order_they_are_asked(
    nowhere: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYGON_API_KEY", "polygons-key")
    monkeypatch.setenv("DATABENTO_API_KEY", "db-0123456789abcdef0123456789abcd")
    supply = supply_of(Settings(), nowhere)
    assert [type(source) for source in supply.sources] == [DatabentoBars, PolygonBars]
    assert not supply.simulates


def test_a_vendor_without_a_key_is_passed_over(nowhere: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASSIVE_API_KEY", "polygons-key")
    [only] = sources_of(Settings(), nowhere, BARS_VENDORS)
    assert only.provider_id == "polygon"


def test_without_any_vendor_bars_are_simulated(nowhere: Transactions) -> None:
    supply = supply_of(Settings(), nowhere)
    assert (tuple(supply.sources), supply.simulates) == ((), True)


def test_history_and_the_limit_of_cost_are_those_of_the_settings(
    nowhere: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY_MONTHS", "5")
    monkeypatch.setenv("MAX_FETCH_COST_USD", "7.5")
    monkeypatch.setenv("MIN_SESSIONS_FOR_GRADING", "12")
    supply = supply_of(Settings(), nowhere)
    assert (supply.history_months, supply.max_cost_usd, supply.min_sessions) == (5, Decimal("7.5"), 12)
