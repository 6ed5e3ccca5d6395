"""Importing files: whole or not at all, twice is once, nothing is ever lost."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.import_file import import_file
from services.bars.load import list_months, load_bars
from services.bars.simulate import simulate_months
from services.bars.write import Progress
from sql.engine import Transactions
from tests.conftest import OwnerSql
from tests.factories.bars import equal, made_bars, without
from tests.factories.bars_files import csv_of, parquet_of
from tests.integration.services.bars.conftest import NOW, Import, files_below
from trading.bars.hashing import content_hash
from trading.bars.schema import Bars, Timeframe
from trading.instruments import get_instrument

ES = get_instrument("ES")
JANUARY = ("2024-01-08T23:00", "2024-01-11T22:00")
TWO_MONTHS = ("2024-01-28T23:00", "2024-02-02T22:00")


def cheaper(bars: Bars) -> Bars:
    """The same bars, one point lower in the last ten minutes."""
    lower = np.where(np.arange(len(bars)) >= len(bars) - 10, 1.0, 0.0)
    return replace(bars, open=bars.open - lower, high=bars.high - lower, low=bars.low - lower, close=bars.close - lower)


def read_all(tx: Transactions, store: BarsStore) -> Bars:
    return load_bars(tx, store, "ES", timeframe=Timeframe.M1, start=None, end=None).bars


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


def test_names_of_contracts_are_gained_when_they_come_later(
    tx: Transactions, store: BarsStore, import_bars: Import, tmp_path: Path
) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(csv_of(made_bars(*JANUARY)))
    import_file(tx, store, path, symbol="ES", actor="test", now=NOW)
    assert list_months(tx)[0].contracts == [""]
    (month,) = import_bars(made_bars(*JANUARY)).months
    assert month.status is MonthStatus.REPLACED
    assert read_all(tx, store).contracts == ("ESH24",)


def test_bars_that_were_missing_are_added_and_the_old_row_says_by_what_it_was_superseded(
    tx: Transactions, store: BarsStore, import_bars: Import, root: Path, owner_sql: OwnerSql
) -> None:
    whole = made_bars(*JANUARY)
    import_bars(whole.take(slice(0, 1000)), "first.parquet")
    (month,) = import_bars(whole.take(slice(900, len(whole))), "second.parquet").months
    assert (month.status, month.bars_count) == (MonthStatus.MERGED, len(whole))
    assert equal(read_all(tx, store), whole)
    ((old, new),) = owner_sql(
        "SELECT old.source_name, new.id FROM bars_catalogue old JOIN bars_catalogue new ON old.superseded_by = new.id"
    )
    (row,) = list_months(tx)
    assert (old, new) == ("first.parquet", row.id)
    assert row.source_name == "second.parquet"
    assert [source["source_name"] for source in row.source_details["merged_with"]] == ["first.parquet"]
    assert len(files_below(root)) == 2
    part = import_bars(whole.take(slice(100, 200)), "third.parquet").months[0]
    assert (part.status, part.bars_count) == (MonthStatus.ALREADY_THERE, len(whole))


def test_bars_that_contradict_those_there_are_refused_unless_they_are_said_to_win(
    tx: Transactions, store: BarsStore, import_bars: Import, root: Path
) -> None:
    bars = made_bars(*JANUARY)
    import_bars(bars)
    with pytest.raises(GantryError, match="10 bars of ES differ") as caught:
        import_bars(cheaper(bars), "cheap.parquet")
    assert caught.value.code is ErrorCode.CONFLICT
    assert "--replace" in caught.value.fix
    assert equal(read_all(tx, store), bars)
    assert len(files_below(root)) == 1
    (month,) = import_bars(cheaper(bars), "cheap.parquet", replace=True).months
    assert month.status is MonthStatus.REPLACED
    assert equal(read_all(tx, store), cheaper(bars))
    assert len(files_below(root)) == 2


def test_another_providers_bars_are_never_mixed_with_those_there(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    whole = made_bars(*JANUARY)
    import_bars(whole.take(slice(0, 1000)), provider="one")
    with pytest.raises(GantryError, match="is there from one") as caught:
        import_bars(whole.take(slice(1000, len(whole))), provider="two")
    assert caught.value.code is ErrorCode.CONFLICT
    (month,) = import_bars(whole.take(slice(1000, len(whole))), provider="two", replace=True).months
    assert (month.status, month.bars_count) == (MonthStatus.REPLACED, len(whole) - 1000)


def test_a_file_of_two_months_is_refused_whole_when_one_contradicts(
    tx: Transactions, store: BarsStore, import_bars: Import, root: Path, owner_sql: OwnerSql
) -> None:
    both = made_bars(*TWO_MONTHS)
    month = both.ts.astype("datetime64[ns]").astype("datetime64[M]")
    import_bars(both.take(month == np.datetime64("2024-02")))
    with pytest.raises(GantryError):
        import_bars(cheaper(both))
    assert [row.month for row in list_months(tx)] == ["2024-02"]
    assert len(files_below(root)) == 1
    assert owner_sql("SELECT count(*) FROM system_events") == [(1,)]


def test_a_file_with_an_unfit_month_is_put_aside_told_of_and_leaves_no_row(
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
    ("content", "said"),
    [(b"<html>502 Bad Gateway</html>", "web page"), (b"", "empty"), (parquet_of(made_bars())[:-100], "truncated")],
    ids=["page", "empty", "truncated"],
)
def test_what_is_no_file_of_bars_is_put_aside_too(
    tx: Transactions, store: BarsStore, tmp_path: Path, owner_sql: OwnerSql, content: bytes, said: str
) -> None:
    path = tmp_path / "bars.parquet"
    path.write_bytes(content)
    with pytest.raises(GantryError) as caught:
        import_file(tx, store, path, symbol="ES", actor="test", now=NOW)
    assert caught.value.code is ErrorCode.DATA_QUALITY_FAILED
    assert said in caught.value.message
    assert owner_sql("SELECT event_type FROM system_events") == [("BARS_BLOCKED",)]
    assert owner_sql("SELECT count(*) FROM bars_catalogue") == [(0,)]


@pytest.mark.parametrize("provider", ["simulator", "../up", "Data Bento", ""])
def test_a_provider_is_a_plain_name_and_no_simulator(import_bars: Import, root: Path, provider: str) -> None:
    with pytest.raises(GantryError) as caught:
        import_bars(made_bars(*JANUARY), provider=provider)
    assert caught.value.details[0].field == "provider"
    assert not root.exists()


def test_a_file_that_is_not_there_is_said_so(tx: Transactions, store: BarsStore, tmp_path: Path) -> None:
    with pytest.raises(GantryError) as caught:
        import_file(tx, store, tmp_path / "none.csv", actor="test", now=NOW)
    assert caught.value.code is ErrorCode.NOT_FOUND


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


def test_simulated_bars_that_come_back_as_a_file_stay_simulated(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    simulate_months(tx, store, ["ES"], ["2024-01"], seed=3, actor="test", now=NOW)
    (month,) = import_bars(simulate_month(ES, "2024-01", 3)).months
    assert month.status is MonthStatus.ALREADY_THERE
    assert [row.data_label for row in list_months(tx)] == ["SIMULATED"]


@pytest.mark.parametrize("damage", ["gone", "cut", "other bars"])
def test_a_damaged_file_is_made_whole_by_importing_the_same_bars_again(
    tx: Transactions, store: BarsStore, import_bars: Import, root: Path, damage: str
) -> None:
    bars = made_bars(*JANUARY)
    import_bars(bars)
    (row,) = list_months(tx)
    file = root / row.path
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:500])
    else:
        other = root / store.write(cheaper(bars), provider="x", month="2024-01", content_hash="0" * 64)
        other.replace(file)
    with pytest.raises(GantryError):
        read_all(tx, store)
    (month,) = import_bars(bars).months
    assert month.status is MonthStatus.REPAIRED
    assert [one.id for one in list_months(tx)] == [row.id]
    assert equal(read_all(tx, store), bars)


def test_a_month_changed_by_somebody_else_meanwhile_is_a_conflict(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    bars = made_bars(*JANUARY)

    def meddle(what: str, done: int, total: int) -> None:
        if what.startswith("Writing"):
            import_bars(bars.take(slice(0, 500)), "meddler.parquet")

    meddler: Progress = meddle
    with pytest.raises(GantryError, match="changed") as caught:
        import_bars(bars, progress=meddler)
    assert caught.value.code is ErrorCode.CONFLICT
    assert content_hash(read_all(tx, store), ES) == content_hash(bars.take(slice(0, 500)), ES)


def test_a_folder_that_cannot_be_written_is_said_so_and_no_row_is_made(
    tx: Transactions, import_bars: Import, tmp_path: Path
) -> None:
    (tmp_path / "bars").write_text("a file where the folder should be")
    with pytest.raises(GantryError, match="can't be written") as caught:
        import_bars(made_bars(*JANUARY))
    assert caught.value.code is ErrorCode.ENVIRONMENT_INVALID
    assert list_months(tx) == []
