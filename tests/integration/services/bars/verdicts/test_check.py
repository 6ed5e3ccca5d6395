"""Checking what is there: each month against its file and the verdict on it."""

from pathlib import Path

import pytest

from core.errors import GantryError
from integrations.store import BarsStore
from services.bars.load import list_months
from services.bars.verdicts.check import check_months
from sql.engine import Transactions
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import files_below

MONTHS = ("2023-12", "2024-01")


@pytest.mark.usefixtures("two_months")
def test_sound_months_pass_and_nothing_is_changed(
    tx: Transactions, store: BarsStore, root: Path, owner_sql: OwnerSql
) -> None:
    before = files_below(root), owner_sql("SELECT * FROM bars_catalogue ORDER BY id")
    seen: list[int] = []
    checked = check_months(tx, store, progress=lambda _what, done, _total: seen.append(done))
    assert [(month.month, month.ok, month.message) for month in checked] == [
        (month, True, "No problems found.") for month in MONTHS
    ]
    assert seen == [1, 2]
    assert (files_below(root), owner_sql("SELECT * FROM bars_catalogue ORDER BY id")) == before


@pytest.mark.usefixtures("two_months")
def test_a_file_with_other_bars_or_none_fails_that_month_alone(tx: Transactions, store: BarsStore, root: Path) -> None:
    first, second = (root / row.path for row in list_months(tx))
    first.write_bytes(second.read_bytes())
    changed, sound = check_months(tx, store, symbol="ES")
    assert (changed.ok, changed.hash_holds, sound.ok) == (False, False, True)
    assert "was changed" in changed.message
    first.unlink()
    gone, _sound = check_months(tx, store)
    assert not gone.ok
    assert gone.path in gone.message


@pytest.mark.usefixtures("two_months")
def test_a_verdict_that_no_longer_holds_fails_the_month(
    tx: Transactions, store: BarsStore, owner_sql: OwnerSql
) -> None:
    owner_sql("UPDATE bars_catalogue SET quality = 'WARN' WHERE month = '2024-01'")
    assert [month.ok for month in check_months(tx, store)] == [True, False]


def test_checking_an_unknown_symbol_is_refused(tx: Transactions, store: BarsStore) -> None:
    with pytest.raises(GantryError, match="Unknown symbol"):
        check_months(tx, store, symbol="XX")
