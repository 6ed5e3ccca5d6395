"""A first start without any provider gets simulated bars, and says so; nobody else does."""

from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from core.settings import Settings
from integrations.store import BarsStore
from services.bars.first_start import FIRST_START_SYMBOLS, ensure_data
from services.bars.load import list_months
from sql.engine import Transactions
from tests.factories.bars import made_bars
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import NOW, Import, files_below
from tests.factories.providers import KEYS, NAMES, forget_providers
from trading.months import full_months_before


def settings(**given: str) -> Settings:
    return Settings.model_validate(given)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_providers(monkeypatch)


def test_a_first_start_simulates_three_full_months_of_five_symbols_and_says_so(
    tx: Transactions, store: BarsStore, owner_sql: OwnerSql
) -> None:
    reported = ensure_data(tx, store, settings(), now=NOW)
    assert reported is not None
    assert "SIMULATED" in reported
    assert "2023-12 to 2024-02" in reported
    assert {(row.symbol, row.month, row.data_label) for row in list_months(tx)} == {
        (symbol, month, "SIMULATED") for symbol in FIRST_START_SYMBOLS for month in ("2023-12", "2024-01", "2024-02")
    }
    assert owner_sql("SELECT DISTINCT event_type FROM system_events") == [("BARS_SIMULATED",)]
    assert ensure_data(tx, store, settings(), now=NOW) is None


@pytest.mark.parametrize(
    "given",
    [
        *({variable: "some-key"} for _vendor, variable in KEYS),
        *({"GANTRY_DATA_PROVIDER": name} for _vendor, name in NAMES),
        {"GANTRY_DATA_PROVIDER": "files"},
        {"APP_ENV": "production"},
    ],
    ids=lambda given: "=".join(*given.items()),
)
def test_who_has_a_provider_or_is_in_production_gets_none(
    tx: Transactions, store: BarsStore, root: Path, given: dict[str, str]
) -> None:
    assert ensure_data(tx, store, settings(**given), now=NOW) is None
    assert files_below(root) == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({variable: "" for _vendor, variable in KEYS}, "No provider of bars is configured"),
        ({"GANTRY_DATA_PROVIDER": ""}, "No provider of bars is configured"),
        (
            {variable: "some-key" for _vendor, variable in KEYS} | {"GANTRY_DATA_PROVIDER": "simulator"},
            "GANTRY_DATA_PROVIDER is simulator",
        ),
    ],
    ids=["blank keys", "blank choice", "chosen"],
)
def test_who_has_no_key_or_chose_the_simulator_gets_simulated_bars_and_the_reason(
    tx: Transactions, store: BarsStore, given: dict[str, str], why: str
) -> None:
    reported = ensure_data(tx, store, settings(**given), now=NOW)
    assert reported is not None
    assert reported.startswith(f"{why}: made SIMULATED bars")
    assert {row.data_label for row in list_months(tx)} == {"SIMULATED"}


def test_imported_bars_end_it(tx: Transactions, store: BarsStore, import_bars: Import) -> None:
    import_bars(made_bars())
    assert ensure_data(tx, store, settings(), now=NOW) is None
    assert {row.data_label for row in list_months(tx)} == {"IMPORTED"}


def test_an_unknown_provider_and_a_simulator_in_production_are_refused(tx: Transactions, store: BarsStore) -> None:
    with pytest.raises(GantryError) as unknown:
        ensure_data(tx, store, settings(GANTRY_DATA_PROVIDER="bloomberg"), now=NOW)
    assert unknown.value.code is ErrorCode.VALIDATION_FAILED
    with pytest.raises(GantryError) as production:
        ensure_data(tx, store, settings(GANTRY_DATA_PROVIDER="simulator", APP_ENV="production"), now=NOW)
    assert production.value.code is ErrorCode.ENVIRONMENT_INVALID


def test_months_before_cross_the_year() -> None:
    assert full_months_before(NOW, 4) == ("2023-11", "2023-12", "2024-01", "2024-02")
