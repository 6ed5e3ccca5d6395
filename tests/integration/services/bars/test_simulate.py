"""Simulated months never stand in for real ones; those of an earlier simulator are made again."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.settings import Settings
from fleet.closed_sets import DataLabel
from integrations.registry import SIMULATOR
from integrations.simulator.draws import SIMULATOR_VERSION
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.first_start import ensure_data
from services.bars.load import list_months
from services.bars.simulate import ensure_simulated, no_progress, simulate_months
from services.bars.write import Incoming, Source, store_months
from services.supply.top_up import Supply
from sql.engine import Transactions
from tests.factories.bars import made_bars
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import JANUARY, NOW, Import, files_below
from tests.factories.providers import KEYS, forget_providers
from trading.bars.months import split_months
from trading.instruments import get_instrument

MONTHS = ("2024-01", "2024-02")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_providers(monkeypatch)


def start(tx: Transactions, store: BarsStore, **given: str) -> str | None:
    return ensure_data(tx, store, Settings.model_validate(given), now=NOW)


def simulated_by_version_1(tx: Transactions, store: BarsStore, symbols: Sequence[str]) -> None:
    """Catalogue two months of other bars as version 1 did, seed 3."""
    source = Source(SIMULATOR, DataLabel.SIMULATED, "simulator", None, {"seed": 3, "simulator_version": 1})
    months = [
        Incoming(get_instrument(symbol), part, source)
        for symbol in symbols
        for month in MONTHS
        for part in split_months(simulate_month(get_instrument(symbol), month, 99))
    ]
    store_months(tx, store, months, replace=True, actor="test", now=NOW, progress=no_progress)


def versions(tx: Transactions) -> dict[tuple[str, str], int | None]:
    return {(row.symbol, row.month): row.source_details.get("simulator_version") for row in list_months(tx)}


def test_real_bars_take_the_place_of_simulated_ones_and_never_the_other_way(
    tx: Transactions, store: BarsStore, import_bars: Import, owner_sql: OwnerSql
) -> None:
    simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW)
    (month,) = import_bars(made_bars(*JANUARY)).months
    assert month.status is MonthStatus.REPLACED
    assert [row.data_label for row in list_months(tx)] == ["IMPORTED"]
    assert owner_sql("SELECT data_label FROM bars_catalogue WHERE superseded_at IS NOT NULL") == [("SIMULATED",)]
    assert simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW) == ()
    assert [row.data_label for row in list_months(tx)] == ["IMPORTED"]


def test_a_start_makes_months_of_an_earlier_simulator_again_from_their_seed_and_their_rows_and_files_stay(
    tx: Transactions, store: BarsStore, owner_sql: OwnerSql, root: Path
) -> None:
    simulated_by_version_1(tx, store, ["ES", "CL"])
    before = list_months(tx)
    reported = start(tx, store)
    assert reported is not None
    assert reported.startswith("The simulator has a new version: made 4 SIMULATED months of CL, ES again.")
    after = list_months(tx)
    assert set(versions(tx).items()) == {((row.symbol, row.month), SIMULATOR_VERSION) for row in before}
    assert {row.source_details["seed"] for row in after} == {3}
    assert not {row.content_hash for row in after} & {row.content_hash for row in before}
    superseded = owner_sql("SELECT id, superseded_by FROM bars_catalogue WHERE superseded_at IS NOT NULL")
    assert set(superseded) == {(old.id, new.id) for old, new in zip(before, after, strict=True)}
    assert {row.path for row in (*before, *after)} == set(files_below(root))
    assert start(tx, store) is None


@pytest.mark.parametrize("given", [{KEYS[0][1]: "some-key"}, {"GANTRY_DATA_PROVIDER": "files"}])
def test_a_start_with_a_provider_makes_them_again_too(
    tx: Transactions, store: BarsStore, given: dict[str, str]
) -> None:
    simulated_by_version_1(tx, store, ["ES"])
    assert start(tx, store, **given) is not None
    assert set(versions(tx).values()) == {SIMULATOR_VERSION}


def test_production_makes_none_again(tx: Transactions, store: BarsStore) -> None:
    simulated_by_version_1(tx, store, ["ES"])
    assert start(tx, store, APP_ENV="production") is None
    assert set(versions(tx).values()) == {1}


@pytest.mark.parametrize(("min_sessions", "of_es"), [("3", 1), ("4", SIMULATOR_VERSION)])
def test_those_of_a_symbol_that_is_graded_on_real_bars_stay_as_nothing_reads_them(
    tx: Transactions, store: BarsStore, import_bars: Import, min_sessions: str, of_es: int
) -> None:
    simulated_by_version_1(tx, store, ["ES", "CL"])
    import_bars(made_bars(*JANUARY))
    start(tx, store, MIN_SESSIONS_FOR_GRADING=min_sessions)
    assert versions(tx) == {
        ("CL", "2024-01"): SIMULATOR_VERSION,
        ("CL", "2024-02"): SIMULATOR_VERSION,
        ("ES", "2024-01"): None,
        ("ES", "2024-02"): of_es,
    }


def test_a_worker_makes_those_of_its_symbol_again_before_it_takes_its_jobs(tx: Transactions, store: BarsStore) -> None:
    simulated_by_version_1(tx, store, ["ES", "CL"])
    Supply(simulates=True).top_up(tx, store, "ES", actor="test", now=NOW)
    made_again = {symbol for (symbol, _month), version in versions(tx).items() if version == SIMULATOR_VERSION}
    assert made_again == {"ES"}
    assert not ensure_simulated(tx, store, "ES", actor="test", now=NOW)
