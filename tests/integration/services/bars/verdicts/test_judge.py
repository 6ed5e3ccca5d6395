"""Months that were judged by older rules: found, and judged again when a person says so."""

from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from integrations.store import BarsStore
from services.bars.load import list_months
from services.bars.verdicts.check import CheckedMonth, check_months
from services.bars.verdicts.judge import renew_verdicts
from sql.engine import Transactions
from sql.queries.bars.catalogue import months_in_use
from tests.factories.bars import made_bars
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import NOW, Import

# As an import kept them while coverage went from the first bar to the last.
OLDER = """UPDATE bars_catalogue SET quality = 'OK', quality_report = quality_report - 'covered_until' """


def renew(tx: Transactions, store: BarsStore) -> tuple[CheckedMonth, ...]:
    return renew_verdicts(tx, store, symbol="ES", actor="operator:test", now=NOW, progress=lambda *_: None)


def read_of(tx: Transactions) -> list[str]:
    with tx() as session:
        return [month.read for month in months_in_use(session)["ES"]]


@pytest.fixture
def short(import_bars: Import, owner_sql: OwnerSql) -> None:
    """A month that ends on its 12th, and that older rules found whole."""
    import_bars(made_bars("2024-01-02T23:00", "2024-01-12T22:00"))
    owner_sql(OLDER)


@pytest.mark.usefixtures("short")
def test_a_month_of_older_rules_is_found_and_keeps_its_bars_when_it_is_judged_again(
    tx: Transactions, store: BarsStore, owner_sql: OwnerSql
) -> None:
    (before,) = list_months(tx)
    (found,) = check_months(tx, store)
    assert (found.ok, found.verdict_changed, found.hash_holds, found.quality) == (False, True, True, "WARN")
    read = read_of(tx)

    (renewed,) = renew(tx, store)

    (after,) = list_months(tx)
    assert (renewed.ok, after.quality, after.quality_report["covered_until"]) == (True, "WARN", "2024-02-01T00:00:00Z")
    assert after.quality_report["sessions_missing"]
    assert (after.path, after.content_hash, after.id == before.id) == (before.path, before.content_hash, False)
    assert read_of(tx) == read, "no other session is put aside, so no bot is due"
    noted = "SELECT actor, payload ->> 'month', payload ->> 'before' FROM system_events WHERE event_type = "
    assert owner_sql(noted + "'BARS_JUDGED_AGAIN'") == [("operator:test", "2024-01", "OK")]


@pytest.mark.usefixtures("short")
def test_a_month_whose_coverage_alone_is_another_today_is_found_too(
    tx: Transactions, store: BarsStore, owner_sql: OwnerSql
) -> None:
    owner_sql("UPDATE bars_catalogue SET quality = 'WARN', quality_report = quality_report || '{\"coverage\": 1.0}'")
    (found,) = check_months(tx, store)
    assert (found.quality, found.quality_before, found.verdict_changed) == ("WARN", "WARN", True)
    (renewed,) = renew(tx, store)
    assert (renewed.ok, list_months(tx)[0].quality_report["coverage"] < 0.5) == (True, True)


@pytest.mark.usefixtures("two_months")
def test_where_nothing_changed_nothing_is_renewed(tx: Transactions, store: BarsStore) -> None:
    before = [row.id for row in list_months(tx)]
    assert [month.ok for month in renew(tx, store)] == [True, True]
    assert [row.id for row in list_months(tx)] == before


@pytest.mark.usefixtures("short")
def test_a_changed_file_is_never_judged_again(tx: Transactions, store: BarsStore, root: Path) -> None:
    (row,) = list_months(tx)
    (root / row.path).write_bytes(b"PAR1")
    (month,) = renew(tx, store)
    assert (month.ok, month.verdict_changed) == (False, False)
    assert [one.id for one in list_months(tx)] == [row.id]


def test_an_unknown_symbol_is_refused(tx: Transactions, store: BarsStore) -> None:
    with pytest.raises(GantryError) as refused:
        renew_verdicts(tx, store, symbol="XX", actor="operator:test", now=NOW, progress=lambda *_: None)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
