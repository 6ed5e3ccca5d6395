"""Which bars a month holds when others come: those there, those that came, both, or a refusal."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.files.import_file import import_file
from services.bars.load import list_months
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars
from tests.factories.bars_files import csv_of
from tests.factories.imported_bars import JANUARY, NOW, Import, cheaper, files_below, read_all


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


def test_bars_that_contradict_those_there_are_refused_unless_they_are_meant_to_replace(
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


def test_replacing_leaves_nothing_of_the_bars_there_between_the_first_and_the_last_that_came(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    bars = made_bars(*JANUARY)
    import_bars(bars)
    holed = cheaper(bars).take(np.r_[0:500, 520 : len(bars)])
    (month,) = import_bars(holed, "holed.parquet", replace=True).months
    assert (month.status, month.bars_count) == (MonthStatus.REPLACED, len(bars) - 20)
    assert equal(read_all(tx, store), holed)
    assert "merged_with" not in list_months(tx)[0].source_details

    fewer = holed.take(np.r_[0:2000, 2020 : len(holed)])
    (month,) = import_bars(fewer, "fewer.parquet", replace=True).months
    assert (month.status, month.bars_count) == (MonthStatus.REPLACED, len(fewer))


def test_a_part_of_a_month_replaces_that_part_alone_and_both_sources_are_named(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    bars = made_bars(*JANUARY)
    import_bars(bars)
    (month,) = import_bars(
        cheaper(bars).take(slice(len(bars) - 10, len(bars) - 5)), "part.parquet", replace=True
    ).months
    assert (month.status, month.bars_count) == (MonthStatus.REPLACED, len(bars))
    (row,) = list_months(tx)
    assert [row.source_name, *(one["source_name"] for one in row.source_details["merged_with"])] == [
        "part.parquet",
        "one.parquet",
    ]


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
