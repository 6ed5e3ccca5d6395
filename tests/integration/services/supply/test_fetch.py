"""Months from vendors into the catalogue: each fetched once, refused whole, and accounted for call by call."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import ErrorCode
from core.settings import ROOT
from integrations.ports import BarsSource
from integrations.store import BarsStore
from services.bars.load import load_bars
from services.supply.fetch import Fetcher, FetchStatus
from sql.embedded import RunningState
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars, with_impossible, without
from tests.factories.databases import OwnerSql
from tests.factories.supply import MARCH, MONTHS, NOW, databento, polygon, until, usage
from tests.standins.databento import RANGE, DatabentoStandIn
from tests.standins.faults import Fault
from tests.standins.polygon import PolygonStandIn
from trading.bars.months import concatenate
from trading.bars.schema import Bars, Timeframe

FetcherOf = Callable[..., Fetcher]


def files_of(store_folder: Path) -> set[str]:
    return {str(path.relative_to(store_folder)) for path in store_folder.rglob("*") if path.is_file()}


def test_a_fetched_month_is_catalogued_with_where_it_came_from(fetcher: Fetcher, owner_sql: OwnerSql) -> None:
    [report] = fetcher.fetch([("ES", "2024-02")])
    assert (report.status, report.provider, report.error) == (FetchStatus.FETCHED, "databento", None)
    rows = owner_sql(
        "SELECT c.provider, c.data_label, c.source_name, c.source_sha256 = f.payload_sha256, f.bars_id = c.id "
        "FROM bars_catalogue c JOIN bars_fetches f ON f.bars_id = c.id"
    )
    assert rows == [("databento", "VENDOR", "ES-2024-02.dbn.zst", True, True)]
    assert owner_sql("SELECT event_type FROM system_events") == [("BARS_FETCHED",)]


def test_bad_sessions_of_a_fetched_month_are_put_aside_alone(
    tx: Transactions, store: BarsStore, es: Bars, owner_sql: OwnerSql
) -> None:
    spoiled = with_impossible(without(es, "2024-02-14T10:00", "2024-02-14T19:00"), "2024-02-20T12:00")
    with DatabentoStandIn({"ES": spoiled}) as vendor:
        [report] = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW).fetch([("ES", "2024-02")])
    assert (report.status, report.quality) == (FetchStatus.FETCHED, "WARN")
    [(aside, path)] = owner_sql("SELECT quality_report->'sessions_aside', path FROM bars_catalogue")
    assert [one["session"] for one in aside] == ["2024-02-14", "2024-02-20"]
    loaded = load_bars(tx, store, "ES", timeframe=Timeframe.M1, start="2024-02", end="2024-02").bars
    one = without(store.read([path]), "2024-02-13T23:00", "2024-02-14T23:00")
    assert equal(loaded, without(one, "2024-02-19T23:00", "2024-02-20T23:00"))


def test_a_second_fetch_calls_nobody(fetcher: Fetcher, vendor: DatabentoStandIn) -> None:
    months = [("ES", month) for month in MONTHS]
    assert {one.status for one in fetcher.fetch(months)} == {FetchStatus.FETCHED}
    calls = len(vendor.calls)
    assert {one.status for one in fetcher.fetch(months)} == {FetchStatus.ALREADY_THERE}
    assert len(vendor.calls) == calls


def test_every_call_the_vendor_saw_is_one_row_and_no_row_is_more(
    fetcher: Fetcher, vendor: DatabentoStandIn, owner_sql: OwnerSql
) -> None:
    vendor.script(Fault.SERVER_ERROR, times=1)
    vendor.script(Fault.RATE_LIMITED, times=1, retry_after=1)
    reports = fetcher.fetch([("ES", month) for month in MONTHS])
    assert {one.status for one in reports} == {FetchStatus.FETCHED}
    assert sorted(action for action, _status in usage(owner_sql)) == sorted(call.action for call in vendor.calls)
    assert sum(status == "ERROR" for _action, status in usage(owner_sql)) == 2


def test_fifty_that_ask_for_the_same_month_at_once_cause_one_fetch(
    tx: Transactions, store: BarsStore, vendor: DatabentoStandIn
) -> None:
    barrier = threading.Barrier(50)

    def ask(_number: int) -> FetchStatus:
        mine = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW)
        barrier.wait()
        return mine.fetch([("ES", "2024-01")])[0].status

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(ask, range(50)))
    assert len(vendor.called(RANGE)) == 1
    assert statuses.count(FetchStatus.FETCHED) == 1
    assert statuses.count(FetchStatus.ALREADY_THERE) == 49


def test_those_who_waited_for_a_fetch_that_failed_share_its_failure(
    tx: Transactions, store: BarsStore, vendor: DatabentoStandIn
) -> None:
    vendor.script(Fault.HTML, times=None, when=lambda call: call.action == RANGE)
    barrier = threading.Barrier(10)

    def ask(_number: int) -> ErrorCode | None:
        mine = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW)
        barrier.wait()
        error = mine.fetch([("ES", "2024-01")])[0].error
        return error.code if error else None

    with ThreadPoolExecutor(10) as pool:
        codes = set(pool.map(ask, range(10)))
    assert codes == {ErrorCode.PROVIDER_BAD_RESPONSE}
    assert len(vendor.called(RANGE)) == 1


REFUSED = {
    Fault.CUT_MID_RECORD: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.CUT_BETWEEN_RECORDS: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.MISSING: ErrorCode.DATA_QUALITY_FAILED,
    Fault.HTML: ErrorCode.PROVIDER_BAD_RESPONSE,
    Fault.DUPLICATES: ErrorCode.DATA_QUALITY_FAILED,
    Fault.UNSORTED: ErrorCode.DATA_QUALITY_FAILED,
    Fault.FUTURE: ErrorCode.DATA_QUALITY_FAILED,
    Fault.IMPOSSIBLE: ErrorCode.DATA_QUALITY_FAILED,
}


@pytest.mark.parametrize("fault", REFUSED, ids=lambda fault: fault.name)
def test_a_bad_answer_is_put_aside_and_never_kept_and_the_next_try_heals(
    fetcher: Fetcher, vendor: DatabentoStandIn, owner_sql: OwnerSql, tmp_path: Path, fault: Fault
) -> None:
    vendor.script(fault, times=1, when=lambda call: call.action == RANGE)
    [refused] = fetcher.fetch([("ES", "2024-02")])
    assert refused.error is not None
    assert refused.error.code is REFUSED[fault]
    assert owner_sql("SELECT count(*) FROM bars_catalogue") == [(0,)]
    [(code, aside)] = owner_sql("SELECT error_code, put_aside FROM bars_fetches")
    assert code == refused.error.code
    kept = files_of(tmp_path / "bars")
    assert kept == {aside, f"{aside}.json"}
    assert owner_sql("SELECT event_type FROM system_events") == [("BARS_BLOCKED",)]

    [healed] = fetcher.fetch([("ES", "2024-02")])

    assert healed.status is FetchStatus.FETCHED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.UNAUTHORIZED, ErrorCode.INTEGRATION_VERIFY_FAILED),
        (Fault.NO_FUNDS, ErrorCode.PROVIDER_ENTITLEMENT),
        (Fault.FORBIDDEN, ErrorCode.PROVIDER_ENTITLEMENT),
        (Fault.SERVER_ERROR, ErrorCode.PROVIDER_BAD_RESPONSE),
        (Fault.SILENCE, ErrorCode.PROVIDER_TIMEOUT),
        (Fault.RATE_LIMITED, ErrorCode.PROVIDER_RATE_LIMITED),
    ],
)
def test_when_databento_fails_polygon_is_asked_and_the_month_says_so(
    tx: Transactions, store: BarsStore, vendor: DatabentoStandIn, owner_sql: OwnerSql, es: Bars, fault: Fault, code: str
) -> None:
    vendor.script(fault, times=None)
    with PolygonStandIn({"ES": es}) as second:
        both: list[BarsSource] = [databento(tx, vendor), polygon(tx, second)]
        reports = Fetcher(tx, store, both, "test", lambda: NOW).fetch([("ES", "2024-01"), ("ES", "2024-02")])
    assert {(one.status, one.provider) for one in reports} == {(FetchStatus.FETCHED, "polygon")}
    rows = owner_sql("SELECT DISTINCT provider, error_code FROM bars_fetches ORDER BY provider")
    assert rows == [("databento", code), ("polygon", None)]
    assert owner_sql("SELECT DISTINCT provider FROM bars_catalogue") == [("polygon",)]


def test_a_month_fetched_again_supersedes_and_the_old_hash_stays_resolvable(
    tx: Transactions, store: BarsStore, es: Bars, owner_sql: OwnerSql
) -> None:
    with DatabentoStandIn({"ES": es.take(slice(0, len(es) - 40_000))}) as vendor:
        first = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW).fetch([("ES", "2024-02")])[0]
    with DatabentoStandIn({"ES": es}) as vendor:
        again = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW, again=True)
        second = again.fetch([("ES", "2024-02")])[0]
    assert first.content_hash != second.content_hash
    [(path,)] = owner_sql("SELECT path FROM bars_catalogue WHERE content_hash = %s", first.content_hash)
    assert len(store.read([path])) == first.bars_count


def test_a_fetch_of_36_months_that_is_killed_goes_on_where_it_stopped(
    database: RunningState, owner_sql: OwnerSql, tmp_path: Path
) -> None:
    months = tuple(f"2023-{number:02d}" for number in range(1, 13))
    held = {
        symbol: concatenate(
            [
                made_bars(f"{month}-09T23:00", f"{month}-12T22:00", symbol=symbol, contract=f"{symbol}Z24")
                for month in months
            ]
        )
        for symbol in ("ES", "6E", "GC")
    }
    with DatabentoStandIn(held) as vendor:
        settings = {
            "GANTRY_HOME": str(tmp_path / "home"),
            "DATABASE_URL": database.owner_url,
            "DATABENTO_API_KEY": vendor.key,
            "DATABENTO_BASE_URL": vendor.url,
            "DATABENTO_CALLS_PER_MINUTE": "60000",
        }
        command = [sys.executable, "-m", "cli.main", "bars", "fetch", "ES", "6E", "GC", "--from", "2023-01"]
        command += ["--to", "2023-12", "--yes"]
        environment = os.environ | settings
        first = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            while len(owner_sql("SELECT 1 FROM bars_fetches")) < 12:
                assert first.poll() is None, first.stdout and first.stdout.read()
        finally:
            first.send_signal(signal.SIGKILL)
            first.communicate()
        there = {(symbol, month) for symbol, month in owner_sql("SELECT symbol, month FROM bars_catalogue")}
        assert 12 <= len(there) < 36
        left = [path.name.split(".") for path in (tmp_path / "home" / "bars" / "incoming").glob("*.npz")]
        arrived = there | {(symbol, month) for _provider, symbol, month, _npz in left}
        before = len(vendor.called(RANGE))

        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

        assert ran.returncode == 0, ran.stdout + ran.stderr
        fetched = [(call.params["symbols"].removesuffix(".v.0"), call.month) for call in vendor.called(RANGE)]
        # What was on the wire at that very moment is asked for again; what had arrived is not.
        assert set(fetched[before:]) == set(fetched) - arrived
        assert len(set(fetched)) == 36
        assert owner_sql("SELECT count(*), count(DISTINCT (symbol, month)) FROM bars_catalogue") == [(36, 36)]
        calls = len(vendor.calls)
        again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stdout + again.stderr
        assert len(vendor.calls) == calls
        assert not list((tmp_path / "home" / "bars" / "incoming").glob("*"))
        assert "all 36 months are there" in again.stdout
        assert vendor.key not in ran.stdout + ran.stderr + again.stdout + again.stderr


def test_a_month_the_vendor_had_a_part_of_is_fetched_again_once_it_has_the_rest(
    tx: Transactions, store: BarsStore, es: Bars
) -> None:
    early, later = datetime(2024, 3, 20, tzinfo=UTC), datetime(2024, 4, 2, tzinfo=UTC)
    with DatabentoStandIn({"ES": until(es, early)}) as vendor:
        vendor.available_end = early.isoformat()
        [part] = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: early).fetch([("ES", MARCH)])
        assert part.status is FetchStatus.FETCHED
    with DatabentoStandIn({"ES": es}) as vendor:
        again = Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: later)
        [whole] = again.fetch([("ES", MARCH)])
        assert whole.status is FetchStatus.FETCHED
        assert (whole.bars_count or 0) > (part.bars_count or 0)
        assert again.fetch([("ES", MARCH)])[0].status is FetchStatus.ALREADY_THERE


def test_who_stops_a_fetch_buys_nothing_more(tx: Transactions, store: BarsStore, es: Bars) -> None:
    months = [("ES", f"{year}-{month:02d}") for year in (2022, 2023) for month in range(1, 13)]
    with DatabentoStandIn({"ES": es}) as vendor:
        asked = threading.Event()

        def stop(_what: str, _done: int, _total: int) -> None:
            asked.set()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Fetcher(tx, store, [databento(tx, vendor)], "test", lambda: NOW).fetch(months, stop)
        assert asked.is_set()
        assert len({call.month for call in vendor.calls if call.month}) < len(months)


def test_a_narrower_askers_failure_is_its_own(tx: Transactions, store: BarsStore, es: Bars) -> None:
    with DatabentoStandIn({"ES": es}) as first, PolygonStandIn({"ES": es}) as second:
        second.script(Fault.FORBIDDEN, times=None)
        narrow = Fetcher(tx, store, [polygon(tx, second)], "test", lambda: NOW)
        wide = Fetcher(tx, store, [databento(tx, first), polygon(tx, second)], "test", lambda: NOW)
        with ThreadPoolExecutor(2) as pool:
            refused, served = pool.map(lambda one: one.fetch([("ES", MARCH)])[0], (narrow, wide))
    assert served.status is FetchStatus.FETCHED or served.status is FetchStatus.ALREADY_THERE
    assert refused.error is None or refused.error.code is ErrorCode.PROVIDER_ENTITLEMENT
