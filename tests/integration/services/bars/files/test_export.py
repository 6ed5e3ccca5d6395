"""Bars out of the store, as files that come back as the same bars."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.errors import ErrorCode, GantryError
from integrations.store import BarsStore
from services.bars.files.export import ExportFormat, export_bars
from services.bars.files.import_file import import_file
from services.bars.load import list_months, load_bars
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import NOW, Import
from trading.bars.schema import Timeframe


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_exported_bars_imported_again_are_the_same_bars(
    tx: Transactions, store: BarsStore, import_bars: Import, tmp_path: Path, ending: str
) -> None:
    bars = made_bars("2024-01-28T23:00", "2024-02-02T22:00", symbol="6E", contract="6EH24", first_tick=21_800)
    import_bars(bars)
    path = tmp_path / f"out.{ending}"
    report = export_bars(tx, store, "6E", path=path)
    assert (report.bars_count, report.label, report.months) == (len(bars), "IMPORTED", ("2024-01", "2024-02"))
    again = import_file(tx, store, path, actor="test", now=NOW)
    assert [month.status for month in again.months] == ["ALREADY_THERE", "ALREADY_THERE"]
    loaded = load_bars(tx, store, "6E", timeframe=Timeframe.M1, start=None, end=None)
    assert equal(loaded.bars, bars)
    assert loaded.bars_hash == report.bars_hash
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.usefixtures("two_months")
def test_every_exported_row_says_that_it_is_simulated(tx: Transactions, store: BarsStore, tmp_path: Path) -> None:
    export_bars(tx, store, "ES", start="2024-01", path=tmp_path / "es.csv")
    with (tmp_path / "es.csv").open() as file:
        assert {row["data_label"] for row in csv.DictReader(file)} == {"SIMULATED"}
    export_bars(tx, store, "ES", start="2024-01", path=tmp_path / "es.any", fmt=ExportFormat.PARQUET)
    assert set(pq.read_table(tmp_path / "es.any")["data_label"].to_pylist()) == {"SIMULATED"}


@pytest.mark.parametrize("name", ["es.csv", "es.parquet"])
@pytest.mark.usefixtures("two_months")
def test_exported_simulated_bars_stay_simulated_where_they_are_imported(
    tx: Transactions, store: BarsStore, tmp_path: Path, owner_sql: OwnerSql, name: str
) -> None:
    export_bars(tx, store, "ES", start="2024-01", path=tmp_path / name)
    owner_sql("UPDATE bars_catalogue SET superseded_at = now()")  # as if in a catalogue that never saw these months
    import_file(tx, store, tmp_path / name, actor="test", now=NOW)
    assert [month.data_label for month in list_months(tx)] == ["SIMULATED"]


@pytest.mark.usefixtures("two_months")
def test_an_export_never_overwrites_and_never_leaves_half_a_file(
    tx: Transactions, store: BarsStore, tmp_path: Path
) -> None:
    path = tmp_path / "es.csv"
    path.write_text("mine")
    with pytest.raises(GantryError) as exists:
        export_bars(tx, store, "ES", path=path)
    assert (exists.value.code, path.read_text()) == (ErrorCode.CONFLICT, "mine")
    with pytest.raises(GantryError, match="has no known extension"):
        export_bars(tx, store, "ES", path=tmp_path / "es.xls")
    with pytest.raises(GantryError, match="No such file or directory") as nowhere:
        export_bars(tx, store, "ES", path=tmp_path / "no folder" / "es.csv")
    assert nowhere.value.code is ErrorCode.ENVIRONMENT_INVALID
    with pytest.raises(GantryError) as unknown:
        export_bars(tx, store, "NQ", path=tmp_path / "nq.csv")
    assert unknown.value.code is ErrorCode.DATA_UNAVAILABLE
    assert not list(tmp_path.glob("*.part"))
