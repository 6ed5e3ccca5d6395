"""Importing files: whole or not at all, twice is once, nothing is ever lost."""

import hashlib
import json
from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.import_file import import_file
from services.bars.load import list_months
from services.bars.simulate import simulate_months
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars, without
from tests.factories.bars_files import csv_of, parquet_of
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import ES, JANUARY, NOW, TWO_MONTHS, Import, files_below, read_all


def test_a_file_is_catalogued_month_by_month_with_its_provenance(
    tx: Transactions, store: BarsStore, import_bars: Import, tmp_path: Path
) -> None:
    bars = made_bars(*TWO_MONTHS)
    report = import_bars(bars, provider="databento")
    assert [(month.month, month.status) for month in report.months] == [
        ("2024-01", MonthStatus.NEW),
        ("2024-02", MonthStatus.NEW),
    ]
    assert report.bars_count == len(bars) == sum(month.bars_count for month in report.months)
    assert report.source_sha256 == hashlib.sha256((tmp_path / "one.parquet").read_bytes()).hexdigest()
    january, february = list_months(tx, symbol="ES")
    assert (january.provider, january.data_label, january.source_name) == ("databento", "IMPORTED", "one.parquet")
    assert january.source_sha256 == february.source_sha256 == report.source_sha256
    assert january.first_at.isoformat() == "2024-01-28T23:00:00+00:00"
    assert february.last_at.isoformat() == "2024-02-02T21:59:00+00:00"
    assert january.contracts == ["ESH24"]
    assert january.quality == report.months[0].quality == "OK"
    assert january.path.startswith(f"databento/ES/2024-01.{january.content_hash[:16]}")
    assert equal(read_all(tx, store), bars)


def test_the_same_file_twice_changes_nothing(
    tx: Transactions, store: BarsStore, import_bars: Import, root: Path, owner_sql: OwnerSql
) -> None:
    import_bars(made_bars(*JANUARY))
    before = files_below(root), owner_sql("SELECT id FROM bars_catalogue"), owner_sql("SELECT id FROM system_events")
    (month,) = import_bars(made_bars(*JANUARY)).months
    assert month.status is MonthStatus.ALREADY_THERE
    after = files_below(root), owner_sql("SELECT id FROM bars_catalogue"), owner_sql("SELECT id FROM system_events")
    assert before == after


def test_the_same_bars_in_another_format_without_contracts_are_the_same_bars(
    tx: Transactions, store: BarsStore, import_bars: Import, tmp_path: Path
) -> None:
    (first,) = import_bars(made_bars(*JANUARY)).months
    path = tmp_path / "bars.csv"
    path.write_bytes(csv_of(made_bars(*JANUARY), zone="", shift_minutes=1))
    (month,) = import_file(
        tx, store, path, symbol="ES", tz="UTC", stamp="close", provider="other", actor="test", now=NOW
    ).months
    assert month.status is MonthStatus.ALREADY_THERE
    assert month.content_hash == first.content_hash
    assert list_months(tx)[0].contracts == ["ESH24"]


def test_a_file_with_an_unfit_month_is_put_aside_reported_and_leaves_no_row(
    tx: Transactions, store: BarsStore, import_bars: Import, root: Path, owner_sql: OwnerSql, tmp_path: Path
) -> None:
    holed = without(made_bars(*JANUARY), "2024-01-10T12:00", "2024-01-10T19:00")
    with pytest.raises(GantryError, match="was not imported") as caught:
        import_bars(holed, "holed.parquet")
    assert caught.value.code is ErrorCode.DATA_QUALITY_FAILED
    assert list_months(tx) == []
    aside = str(caught.value.facts["put_aside"])
    assert aside in caught.value.fix
    assert (root / aside).read_bytes() == (tmp_path / "holed.parquet").read_bytes()
    assert json.loads((root / f"{aside}.json").read_text())["facts"]["problems"] == ["MINUTES_MISSING"]
    ((event, payload),) = owner_sql("SELECT event_type, payload FROM system_events")
    assert event == "BARS_BLOCKED"
    assert payload["put_aside"] == aside


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"<html>502 Bad Gateway</html>", "web page"), (b"", "empty"), (parquet_of(made_bars())[:-100], "truncated")],
    ids=["page", "empty", "truncated"],
)
def test_what_is_no_file_of_bars_is_put_aside_too(
    tx: Transactions, store: BarsStore, tmp_path: Path, owner_sql: OwnerSql, content: bytes, message: str
) -> None:
    path = tmp_path / "bars.parquet"
    path.write_bytes(content)
    with pytest.raises(GantryError) as caught:
        import_file(tx, store, path, symbol="ES", actor="test", now=NOW)
    assert caught.value.code is ErrorCode.DATA_QUALITY_FAILED
    assert message in caught.value.message
    assert owner_sql("SELECT event_type FROM system_events") == [("BARS_BLOCKED",)]
    assert owner_sql("SELECT count(*) FROM bars_catalogue") == [(0,)]


@pytest.mark.parametrize("provider", ["simulator", "../up", "Data Bento", ""])
def test_a_provider_is_a_plain_name_and_no_simulator(import_bars: Import, root: Path, provider: str) -> None:
    with pytest.raises(GantryError) as caught:
        import_bars(made_bars(*JANUARY), provider=provider)
    assert caught.value.details[0].field == "provider"
    assert not root.exists()


def test_a_missing_file_is_reported_as_missing(tx: Transactions, store: BarsStore, tmp_path: Path) -> None:
    with pytest.raises(GantryError) as caught:
        import_file(tx, store, tmp_path / "none.csv", actor="test", now=NOW)
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_simulated_bars_that_come_back_as_a_file_stay_simulated(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    simulate_months(tx, store, ["ES"], ["2024-01"], seed=3, actor="test", now=NOW)
    (month,) = import_bars(simulate_month(ES, "2024-01", 3)).months
    assert month.status is MonthStatus.ALREADY_THERE
    assert [row.data_label for row in list_months(tx)] == ["SIMULATED"]
