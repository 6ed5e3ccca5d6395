"""Months of bars are written all or none, and one that is superseded says so."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.load import list_months
from services.bars.write import Progress
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import ES, JANUARY, TWO_MONTHS, Import, cheaper, files_below, read_all
from trading.bars.hashing import content_hash


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


def test_a_folder_that_cannot_be_written_is_reported_and_no_row_is_made(
    tx: Transactions, import_bars: Import, tmp_path: Path
) -> None:
    (tmp_path / "bars").write_text("a file where the folder should be")
    with pytest.raises(GantryError, match="can't be written") as caught:
        import_bars(made_bars(*JANUARY))
    assert caught.value.code is ErrorCode.ENVIRONMENT_INVALID
    assert list_months(tx) == []
