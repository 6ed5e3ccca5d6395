"""Real bars through the catalogue: imported twice, in two formats, exported, and loaded for a backtest."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.files.export import export_bars
from services.bars.files.import_file import import_file
from services.bars.load import list_months, load_bars
from services.bars.verdicts.check import check_months
from sql.engine import Transactions
from trading.bars.schema import Timeframe

pytestmark = pytest.mark.real
DATA = Path(os.environ.get("GANTRY_TEST_DATA", ""))
EURO_DBN = DATA / "6E_2024-01" / "6EH4.ohlcv-1m.dbn.zst"
EURO_CSV = DATA / "6E_2024-01" / "6EH4.XCME_1min_bars_20240101_20240131.csv.gz"
ES_PARQUET = DATA / "lean_es_gc" / "es_1m.parquet"
NOW = datetime(2024, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> BarsStore:
    return BarsStore(str(tmp_path / "bars"))


def test_the_euros_january_is_29996_bars_once_twice_and_as_csv(
    tx: Transactions, store: BarsStore, tmp_path: Path
) -> None:
    (first,) = import_file(tx, store, EURO_DBN, symbol="6E", actor="test", now=NOW).months
    (second,) = import_file(tx, store, EURO_DBN, symbol="6E", actor="test", now=NOW).months
    (text,) = import_file(tx, store, EURO_CSV, symbol="6E", tz="UTC", stamp="close", actor="test", now=NOW).months
    assert [month.status for month in (first, second, text)] == [
        MonthStatus.NEW,
        MonthStatus.ALREADY_THERE,
        MonthStatus.ALREADY_THERE,
    ]
    assert {(month.bars_count, month.content_hash) for month in (first, second, text)} == {(29_996, first.content_hash)}
    assert len(list_months(tx)) == 1
    assert all(month.ok for month in check_months(tx, store))
    report = export_bars(tx, store, "6E", path=tmp_path / "out.csv")
    assert report.bars_hash == first.content_hash
    (again,) = import_file(tx, store, tmp_path / "out.csv", actor="test", now=NOW).months
    assert again.status is MonthStatus.ALREADY_THERE


def test_wrongly_stamped_bars_contradict_those_there_and_change_nothing(tx: Transactions, store: BarsStore) -> None:
    import_file(tx, store, EURO_DBN, symbol="6E", actor="test", now=NOW)
    with pytest.raises(GantryError) as caught:
        import_file(tx, store, EURO_CSV, symbol="6E", tz="UTC", actor="test", now=NOW)
    assert caught.value.code is ErrorCode.CONFLICT
    assert list_months(tx)[0].bars_count == 29_996


def test_bars_of_eight_expiries_are_kept_apart(tx: Transactions, store: BarsStore) -> None:
    report = import_file(tx, store, ES_PARQUET, symbol="ES", provider="lean", actor="test", now=NOW)
    assert (report.bars_count, len(report.months)) == (23_948, 4)
    loaded = load_bars(tx, store, "ES", timeframe=Timeframe.M1, start=None, end=None)
    assert (len(loaded.bars), loaded.label, loaded.bars.per_expiry) == (23_948, "IMPORTED", True)
    assert len(loaded.bars.contracts) == 8
