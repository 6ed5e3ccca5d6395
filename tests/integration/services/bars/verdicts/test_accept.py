"""A session that fails is one bad session: left out alone, listed, and taken in when a person says so."""

from datetime import date
from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from fleet.planner.bars_outlook import Suppliers
from integrations.store import BarsStore
from services.bars.decide import MonthStatus
from services.bars.load import list_months
from services.bars.verdicts.accept import Acceptance, accept_session
from services.bars.verdicts.check import check_months
from services.bars.verdicts.gaps import gap_report
from services.planner.snapshot import read_fleet
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars, with_impossible, without
from tests.factories.bots import MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import NOW, Import, read_all
from trading.bars.schema import Bars

WEEK = ("2024-01-07T23:00", "2024-01-12T22:00")
BAD = "2024-01-10"


def holed() -> Bars:
    """A week in which the session of the 10th lacks six hours."""
    return without(made_bars(*WEEK), f"{BAD}T10:00", f"{BAD}T16:00")


def accept(tx: Transactions, store: BarsStore, reason: str = "checked by hand") -> Acceptance:
    return accept_session(tx, store, "ES", BAD, reason=reason, actor="operator:test", now=NOW)


def fit(bars: Bars) -> Bars:
    return without(bars, "2024-01-09T23:00", "2024-01-10T23:00")


def test_a_bad_session_is_a_hole_that_no_window_crosses_and_its_bars_are_kept(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    (month,) = import_bars(holed()).months
    assert (month.quality, month.bars_count) == ("WARN", len(holed()))
    assert equal(read_all(tx, store), fit(holed()))
    (row,) = list_months(tx)
    assert equal(store.read([row.path]), holed())
    assert [one.ok for one in check_months(tx, store)] == [True]
    ((found,),) = (one.months for one in gap_report(tx, NOW, symbol="ES"))
    assert [(one.session, one.message) for one in found.sessions_aside] == [
        (BAD, "360 of its 1,380 minutes (26%) have no bar.")
    ]


def test_an_accepted_session_is_read_with_the_others_and_the_month_goes_on_warning(
    tx: Transactions, store: BarsStore, import_bars: Import, owner_sql: OwnerSql
) -> None:
    import_bars(holed())
    (before,) = list_months(tx)
    accept(tx, store)
    (row,) = list_months(tx)
    assert equal(read_all(tx, store), holed())
    assert (row.id != before.id, row.path, row.content_hash) == (True, before.path, before.content_hash)
    assert (row.quality, row.quality_report["sessions_aside"]) == ("WARN", [])
    assert row.quality_report["sessions_accepted"] == [{"session": BAD, "reason": "checked by hand"}]
    assert [one.ok for one in check_months(tx, store)] == [True]
    assert owner_sql("SELECT symbol, session_on, reason, actor FROM bars_accepted_sessions") == [
        ("ES", date(2024, 1, 10), "checked by hand", "operator:test")
    ]
    events = "SELECT actor, payload->>'session', payload->>'reason' FROM system_events WHERE event_type = {!r}"
    assert owner_sql(events.format("BARS_SESSION_ACCEPTED")) == [("operator:test", BAD, "checked by hand")]


def test_accepting_twice_is_accepting_once_with_the_first_reason(
    tx: Transactions, store: BarsStore, import_bars: Import, owner_sql: OwnerSql
) -> None:
    import_bars(holed())
    accept(tx, store)
    again = accept(tx, store, "another")
    assert (again.already, again.reason) == (True, "checked by hand")
    assert owner_sql("SELECT count(*) FROM bars_accepted_sessions") == [(1,)]
    assert owner_sql("SELECT count(*) FROM bars_catalogue") == [(2,)]


def test_an_accepted_session_stays_so_when_its_month_comes_again_or_grows(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    import_bars(holed())
    accept(tx, store)
    (month,) = import_bars(holed()).months
    assert month.status is MonthStatus.ALREADY_THERE
    assert equal(read_all(tx, store), holed())
    longer = without(made_bars(WEEK[0], "2024-01-19T22:00"), f"{BAD}T10:00", f"{BAD}T16:00")
    (month,) = import_bars(longer, "longer.parquet").months
    assert (month.status, month.quality) == (MonthStatus.MERGED, "WARN")
    assert equal(read_all(tx, store), longer)


def test_the_bars_that_a_session_lacked_complete_it(tx: Transactions, store: BarsStore, import_bars: Import) -> None:
    import_bars(holed())
    (month,) = import_bars(made_bars(*WEEK), "whole.parquet").months
    assert month.status is MonthStatus.MERGED
    assert list_months(tx)[0].quality_report["sessions_aside"] == []
    assert equal(read_all(tx, store), made_bars(*WEEK))


@pytest.mark.parametrize(
    ("symbol", "day", "reason", "code"),
    [
        ("XX", BAD, "known", ErrorCode.VALIDATION_FAILED),
        ("ES", "10 January", "known", ErrorCode.VALIDATION_FAILED),
        ("ES", BAD, "  ", ErrorCode.VALIDATION_FAILED),
        ("ES", BAD, "a\x00b", ErrorCode.VALIDATION_FAILED),
        ("ES", BAD, "\udcff", ErrorCode.VALIDATION_FAILED),
        ("ES", "2024-01-09", "known", ErrorCode.NOT_FOUND),
        ("NQ", BAD, "known", ErrorCode.NOT_FOUND),
    ],
    ids=[
        "unknown symbol",
        "no day",
        "no reason",
        "a null",
        "no text",
        "a session that is fit",
        "a symbol without bars",
    ],
)
def test_what_can_not_be_accepted_is_refused_with_what_to_do(
    tx: Transactions, store: BarsStore, import_bars: Import, symbol: str, day: str, reason: str, code: ErrorCode
) -> None:
    import_bars(holed())
    with pytest.raises(GantryError) as refused:
        accept_session(tx, store, symbol, day, reason=reason, actor="test", now=NOW)
    assert refused.value.code is code
    assert refused.value.fix
    assert equal(read_all(tx, store), fit(holed()))


def test_an_impossible_bar_costs_its_session_and_is_never_accepted(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    bars = made_bars(*WEEK)
    (month,) = import_bars(with_impossible(bars, f"{BAD}T12:00")).months
    assert month.quality == "WARN"
    assert equal(read_all(tx, store), fit(bars))
    with pytest.raises(GantryError, match="has bars that can't be: 1 bar has a high below") as refused:
        accept(tx, store)
    assert refused.value.code is ErrorCode.DATA_QUALITY_FAILED
    assert equal(read_all(tx, store), fit(bars))


def test_an_accepted_session_that_gets_an_impossible_bar_is_refused_and_not_reported_as_used(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    import_bars(holed())
    accept(tx, store)
    bars = with_impossible(made_bars(*WEEK), f"{BAD}T12:00")
    import_bars(bars, "other.parquet", replace=True, provider="other")
    assert equal(read_all(tx, store), fit(bars))
    with pytest.raises(GantryError, match="has bars that can't be") as refused:
        accept(tx, store)
    assert refused.value.code is ErrorCode.DATA_QUALITY_FAILED


def test_a_damaged_file_is_not_accepted_from(
    tx: Transactions, store: BarsStore, import_bars: Import, root: Path
) -> None:
    import_bars(holed())
    (row,) = list_months(tx)
    other = store.write(made_bars(*WEEK), provider="x", month="2024-01", content_hash="0" * 64)
    (root / other).replace(root / row.path)
    with pytest.raises(GantryError) as refused:
        accept(tx, store)
    assert refused.value.code is ErrorCode.DATA_UNAVAILABLE


def test_bots_rest_on_other_bars_once_a_session_is_accepted(
    tx: Transactions, store: BarsStore, import_bars: Import, make_bot: MakeBot
) -> None:
    def made_on() -> str:
        with tx() as session:
            fleet = read_fleet(session, Suppliers(), NOW, evolve_after=3, development=True)
        return fleet.bots[0].bars_generation

    make_bot()
    import_bars(holed())
    before = made_on()
    accept(tx, store)
    assert made_on() != before
