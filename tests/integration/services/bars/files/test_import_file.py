"""Importing files: whole or not at all, twice is once, nothing is ever lost."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.backtests.compute import load_material
from services.bars.decide import MonthStatus
from services.bars.files.import_file import ImportReport, import_file
from services.bars.load import list_months
from services.bars.simulate import simulate_months
from services.bars.verdicts.check import check_months
from services.jobs.plan import BarsKey
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars, ns, without
from tests.factories.bars_files import csv_of, dbn_of, parquet_of
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import ES, JANUARY, NOW, TWO_MONTHS, Import, files_below, read_all
from tests.factories.report_files import SESSIONS, day_session, made
from tests.factories.written_bars import Way, file_of
from trading.day_session import Hours

DAY = day_session(SESSIONS)
FEW = "ES has {} of bars: results on fewer than 20 (MIN_SESSIONS_FOR_GRADING) prove little."
Take = Callable[..., ImportReport]


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
    assert january.quality == report.months[0].quality == "WARN", "the rest of the month is missing"
    assert january.path.startswith(f"databento/ES/2024-01.{january.content_hash[:16]}")
    assert equal(read_all(tx, store), bars)


def test_a_month_is_good_once_all_its_sessions_are_there(tx: Transactions, import_bars: Import) -> None:
    (month,) = import_bars(made_bars("2024-01-01", "2024-02-01")).months
    assert (month.quality, month.complaint) == ("OK", "")
    report = list_months(tx)[0].quality_report
    assert (report["coverage"], report["sessions_missing"], report["sessions"]) == (1.0, [], 22)


@pytest.mark.parametrize(
    ("now", "coverage", "missing"),
    [
        ("2024-01-11T22:00", 3 / 8, 5),  # of eight sessions until then
        ("2024-01-12T12:00", 4140 / (8 * 1380 + 780), 5),  # a session that isn't over is not missing yet
        ("2024-03-15T12:00", 4140 / (21 * 1380 + 1140 + 60), 19),  # one ended early, one began on the last evening
    ],
)
def test_coverage_is_of_the_whole_month_up_to_now(
    tx: Transactions, store: BarsStore, import_bars: Import, now: str, coverage: float, missing: int
) -> None:
    at = datetime.fromisoformat(f"{now}Z")
    import_bars(made_bars(*JANUARY), now=at)
    (row,) = list_months(tx)
    assert row.quality_report["coverage"] == pytest.approx(coverage, abs=1e-6)
    assert len(row.quality_report["sessions_missing"]) == missing
    assert [one.ok for one in check_months(tx, store)] == [True], "judged again as it was then"


def test_the_end_that_a_dbn_file_states_ends_what_it_should_cover(
    tx: Transactions, store: BarsStore, tmp_path: Path
) -> None:
    path, bars = tmp_path / "es.dbn", made_bars("2024-01-01", "2024-01-19T22:00")
    path.write_bytes(dbn_of(bars, {"ESH4": [("2024-01-01", "2024-01-20", 5)]}, end=ns("2024-01-19T22:00")))
    import_file(tx, store, path, symbol="ES", actor="test", now=NOW)
    (row,) = list_months(tx)
    assert (row.quality_report["coverage"], row.quality_report["covered_until"]) == (1.0, "2024-01-19T22:00:00Z")


def test_real_bars_wait_until_there_are_enough_of_them_and_the_import_says_so(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    simulate_months(tx, store, ["ES"], ["2023-12"], seed=3, actor="test", now=NOW)

    def label() -> str:
        key = BarsKey("ES", "1m", None, None)
        return load_material(tx, store, key, min_sessions=4).loaded.label

    report = import_bars(made_bars(*JANUARY), min_sessions=4)
    assert report.notes == (
        "ES has 3 sessions of real bars: its bots are graded on simulated ones "
        "until there are 4 (MIN_SESSIONS_FOR_GRADING).",
    )
    assert label() == "SIMULATED"
    assert import_bars(made_bars("2024-01-11T23:00", "2024-01-12T22:00"), "two.parquet", min_sessions=4).notes == ()
    assert label() == "IMPORTED"


def test_without_simulated_bars_few_real_ones_are_used_and_reported(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    assert import_bars(made_bars(*JANUARY)).notes == (FEW.format("3 sessions"),)
    assert load_material(tx, store, BarsKey("ES", "1m", None, None)).loaded.label == "IMPORTED"


def test_a_series_without_contracts_is_imported_with_a_warning_that_rolls_are_not_seen(import_bars: Import) -> None:
    (month,) = import_bars(made_bars("2024-01-01", "2024-02-01", contract="")).months
    assert month.quality == "WARN"
    assert "name no contract, so rolls can't be seen" in month.complaint


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
    holed = without(holed, "2024-01-11T12:00", "2024-01-11T19:00")
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


@pytest.fixture
def take(tx: Transactions, store: BarsStore, tmp_path: Path) -> Take:
    """`take(content, **options)`: write a CSV file of ES and import it."""

    def run(content: bytes, **options: object) -> ImportReport:
        path = tmp_path / "es.csv"
        path.write_bytes(content)
        return import_file(tx, store, path, **{"symbol": "ES", "actor": "test", "now": NOW, **options})  # type: ignore[arg-type]

    return run


def test_the_day_session_alone_is_imported_as_that_and_stays_fit(
    tx: Transactions, store: BarsStore, take: Take
) -> None:
    report = take(file_of(DAY, Way()), hours="rth")
    assert (report.hours, report.bars_count) == (Hours.RTH, len(DAY))
    assert report.notes[0] == "Bars of ES are those of the day session alone, 08:30 to 15:15 Chicago time."
    (month,) = list_months(tx, symbol="ES")
    assert (month.quality, month.source_details["hours"]) == ("WARN", "rth")
    assert month.quality_report["coverage"] == pytest.approx(3 * 405 / (21 * 405 + 210), abs=1e-6)
    assert [one.ok for one in check_months(tx, store)] == [True]


def test_the_day_session_alone_is_refused_without_a_word_of_it_and_put_aside(
    tx: Transactions, take: Take, owner_sql: OwnerSql
) -> None:
    with pytest.raises(GantryError, match=r"es\.csv holds bars of ES's day session alone") as caught:
        take(file_of(DAY, Way()))
    assert caught.value.code is ErrorCode.DATA_QUALITY_FAILED
    assert caught.value.fix.startswith("Give --hours rth, or export whole sessions. The file was put aside as ")
    assert list_months(tx) == []
    assert owner_sql("SELECT event_type FROM system_events") == [("BARS_BLOCKED",)]


def test_whole_sessions_are_refused_as_those_of_the_day_alone(take: Take) -> None:
    with pytest.raises(GantryError, match="lie outside the day session of ES") as caught:
        take(file_of(SESSIONS, Way()), hours="rth")
    assert caught.value.fix.startswith("Leave --hours rth away.")


def test_the_day_session_alone_is_graded_by_its_own_calendar(tx: Transactions, store: BarsStore, take: Take) -> None:
    key = BarsKey("ES", "1m", None, None)
    take(file_of(DAY, Way()), hours="rth")
    (window,) = load_material(tx, store, key).windows
    last_bars = np.append(np.diff(window.session) != 0, True)
    assert (window.session_last == window.bars.ts[np.flatnonzero(last_bars)].repeat(405)).all(), "at 15:14 Chicago"
    take(file_of(SESSIONS, Way()))
    (window,) = load_material(tx, store, key).windows
    assert (window.session_last > window.bars.ts).sum() == len(SESSIONS) - 3


def test_whole_sessions_of_the_same_bars_complete_the_day_session(
    tx: Transactions, store: BarsStore, take: Take
) -> None:
    take(file_of(DAY, Way()), hours="rth")
    (month,) = take(file_of(SESSIONS, Way())).months
    assert (month.status, month.bars_count) == (MonthStatus.MERGED, len(SESSIONS))
    (row,) = list_months(tx)
    assert "hours" not in row.source_details
    assert [one.ok for one in check_months(tx, store)] == [True]


def test_counts_of_a_local_clock_are_kept_in_utc_with_their_zone(tx: Transactions, take: Take) -> None:
    take(file_of(SESSIONS, Way(counts="s", zone="America/New_York")), epoch_tz="America/New_York")
    (month,) = list_months(tx)
    assert month.first_at.isoformat() == "2024-01-02T23:00:00+00:00"
    assert month.source_details["epoch_tz"] == "America/New_York"


@pytest.mark.parametrize("symbol", [None, "ES"])
def test_rows_of_spreads_are_reported_as_left_out(take: Take, symbol: str | None) -> None:
    report = take(made("databento_parent.csv"), symbol=symbol)
    assert report.bars_count == 60
    assert report.notes == ("Left out: 60 rows of spreads (ESH4-ESM4).", FEW.format("1 session"))


def test_the_reason_of_a_refusal_is_kept_beside_the_file_that_was_put_aside(
    take: Take, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(GantryError) as caught:
        take(file_of(SESSIONS, Way(zone="America/New_York", offset="")), tz="UTC")
    aside = root / str(caught.value.facts["put_aside"])
    assert aside.read_bytes() == (tmp_path / "es.csv").read_bytes()
    assert "read as times of a clock in America/New_York" in json.loads(Path(f"{aside}.json").read_text())["message"]
