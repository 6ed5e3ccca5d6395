"""CSV and Parquet files: names, times, zones and stamps read right; bad rows refused by their number."""

import gzip
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.errors import ErrorCode, GantryError
from integrations.files.reader import read_bars_file
from integrations.files.types import FileBars
from tests.factories.bars import equal, made_bars
from tests.factories.bars_files import csv_of, dbn_of, packed, parquet_of
from trading.bars.hashing import content_hash
from trading.bars.months import concatenate
from trading.bars.schema import Bars
from trading.instruments import get_instrument

SHORT = made_bars("2024-01-09T23:00", "2024-01-10T03:00")
UNNAMED = replace(SHORT, contracts=("",))
HEADER = b"ts,open,high,low,close,volume\n"
GOOD = b"2024-01-10T15:00:00Z,5000,5001,4999,5000.25,7\n2024-01-10T15:01:00Z,5000,5001,4999,5000.25,7\n"


def read(tmp_path: Path, content: bytes, **options: Any) -> tuple[FileBars, ...]:
    path = tmp_path / "bars.csv"
    path.write_bytes(content)
    return read_bars_file(path, **{"symbol": "ES", **options})


def refused(tmp_path: Path, content: bytes, **options: Any) -> GantryError:
    with pytest.raises(GantryError) as caught:
        read(tmp_path, content, **options)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("pack", [bytes, gzip.compress, packed])
def test_csv_packed_or_not_gives_the_bars(tmp_path: Path, pack: Any) -> None:
    (found,) = read(tmp_path, pack(csv_of(SHORT)))
    assert equal(found.bars, UNNAMED)


@pytest.mark.parametrize("name", ["ts", "Timestamp", "time", "DateTime", "ts_event"])
def test_time_columns_go_by_several_names(tmp_path: Path, name: str) -> None:
    (found,) = read(tmp_path, csv_of(SHORT, header=f"{name},Open,HIGH,low,Close, volume"))
    assert equal(found.bars, UNNAMED)


def test_a_column_that_says_utc_needs_no_zone(tmp_path: Path) -> None:
    header = "timestamp_utc,open,high,low,close,volume"
    assert equal(read(tmp_path, csv_of(SHORT, header=header, zone=""))[0].bars, UNNAMED)
    error = refused(tmp_path, csv_of(SHORT, header=header, zone=""), tz="America/Chicago")
    assert "is in UTC" in error.message


def test_times_without_a_zone_need_one(tmp_path: Path) -> None:
    error = refused(tmp_path, csv_of(SHORT, zone=""))
    assert error.code is ErrorCode.VALIDATION_FAILED
    assert "--tz" in error.fix
    assert equal(read(tmp_path, csv_of(SHORT, zone=""), tz="utc")[0].bars, UNNAMED)
    chicago = csv_of(SHORT, zone="", shift_minutes=-360)
    assert equal(read(tmp_path, chicago, tz="America/Chicago")[0].bars, UNNAMED)
    assert "Unknown time zone" in refused(tmp_path, chicago, tz="Mars/Base").message


def test_times_with_an_offset_are_taken_by_it(tmp_path: Path) -> None:
    assert equal(read(tmp_path, csv_of(SHORT, zone="-06:00", shift_minutes=-360))[0].bars, UNNAMED)
    mixed = csv_of(SHORT).replace(b"23:05:00Z", b"23:05:00")
    assert "line 7: only some of the times state a zone" in refused(tmp_path, mixed).message


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_counts_since_1970_are_utc_in_any_unit(tmp_path: Path, unit: int) -> None:
    lines = [f"{ts // 10**9 * unit},{o},{o + 1},{o - 1},{o},1" for ts, o in zip(SHORT.ts, SHORT.open, strict=True)]
    (found,) = read(tmp_path, HEADER + "\n".join(lines).encode())
    assert np.array_equal(found.bars.ts, SHORT.ts)


def test_close_stamps_are_moved_back_to_the_open(tmp_path: Path) -> None:
    (found,) = read(tmp_path, csv_of(SHORT, shift_minutes=1), stamp="close")
    assert equal(found.bars, UNNAMED)
    assert found.source_details["stamp"] == "close"
    assert "Use open or close" in refused(tmp_path, csv_of(SHORT), stamp="middle").fix


def test_local_times_that_exist_twice_or_never_are_refused(tmp_path: Path) -> None:
    for time in (b"2024-11-03 01:30:00", b"2024-03-10 02:30:00"):
        error = refused(tmp_path, HEADER + time + b",1,1,1,1,1\n", tz="America/Chicago")
        assert "line 2" in error.message
        assert "clocks change" in error.message


def test_semicolons_tabs_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    for delimiter in (b";", b"\t"):
        assert equal(read(tmp_path, b"\xef\xbb\xbf" + csv_of(SHORT).replace(b",", delimiter))[0].bars, UNNAMED)


def test_a_missing_last_newline_and_blank_lines_are_no_fault(tmp_path: Path) -> None:
    assert equal(read(tmp_path, csv_of(SHORT).rstrip() + b"\r\n\r\n")[0].bars, UNNAMED)
    assert equal(read(tmp_path, csv_of(SHORT).rstrip())[0].bars, UNNAMED)


def test_dbn_parquet_and_csv_of_the_same_bars_hash_the_same(tmp_path: Path) -> None:
    contents = [
        dbn_of(SHORT, {"ESH4": [("2024-01-01", "2025-01-01", 118)]}),
        parquet_of(SHORT),
        parquet_of(SHORT, open=SHORT.open.astype(np.float32)),
        csv_of(SHORT, shift_minutes=1),
    ]
    stamps = ["open", "open", "open", "close"]
    hashes = {
        content_hash(read(tmp_path, content, stamp=stamp)[0].bars, get_instrument("ES"))
        for content, stamp in zip(contents, stamps, strict=True)
    }
    assert hashes == {content_hash(SHORT, get_instrument("ES"))}


def damaged(content: bytes) -> bytes:
    """Return the bytes with one of their last ones, part of a checksum, changed."""
    return content[:-6] + bytes([content[-6] ^ 1]) + content[-5:]


def two_expiries() -> Bars:
    return concatenate([SHORT, made_bars("2024-01-09T23:00", "2024-01-10T03:00", contract="ESM24", first_tick=20_200)])


def test_contracts_in_blocks_or_mixed_come_out_sorted_by_time_and_expiry(tmp_path: Path) -> None:
    both = two_expiries()
    blocks = both.take(np.argsort(-both.contract, kind="stable"))
    for shape in (both, blocks):
        assert equal(read(tmp_path, parquet_of(shape), symbol=None)[0].bars, both)


def test_the_symbol_is_read_from_contract_or_symbol_columns(tmp_path: Path) -> None:
    dated = replace(SHORT, contracts=("ES 202403",))
    assert equal(read(tmp_path, parquet_of(dated), symbol=None)[0].bars, SHORT)
    names = pa.array(["ES"] * 120 + ["NQ"] * 120)
    found = read(tmp_path, parquet_of(SHORT, drop=("contract",), symbol=names), symbol=None)
    assert [(one.bars.symbol, len(one.bars)) for one in found] == [("ES", 120), ("NQ", 120)]
    raw = parquet_of(
        SHORT, drop=("contract",), symbol=pa.array(["ESH4"] * len(SHORT)), instrument_id=np.full(len(SHORT), 118)
    )
    assert equal(read(tmp_path, raw, symbol=None)[0].bars, SHORT)
    assert "not of CL" in refused(tmp_path, parquet_of(SHORT), symbol="CL").message


def test_a_file_that_names_no_symbol_needs_one_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    assert "--symbol" in refused(tmp_path, csv_of(SHORT), symbol=None).fix
    assert "Unknown symbol 'XX'" in refused(tmp_path, csv_of(SHORT), symbol="XX").message
    unknown = parquet_of(replace(SHORT, contracts=("ZZZH24",)))
    assert "Unknown symbol 'ZZZ'" in refused(tmp_path, unknown, symbol=None).message


def test_parquet_times_may_be_local_texts_or_counts(tmp_path: Path) -> None:
    local = parquet_of(SHORT, ts=pa.array(SHORT.ts // 1000, pa.timestamp("us")))
    assert equal(read(tmp_path, local, tz="UTC")[0].bars, SHORT)
    assert "states no time zone" in refused(tmp_path, local).message
    assert equal(read(tmp_path, parquet_of(SHORT, ts=SHORT.ts))[0].bars, SHORT)
    texts = pa.array([f"{ts}Z" for ts in SHORT.ts.astype("datetime64[ns]").astype("datetime64[s]").astype(str)])
    assert equal(read(tmp_path, parquet_of(SHORT, ts=texts))[0].bars, SHORT)
    assert "of type bool" in refused(tmp_path, parquet_of(SHORT, ts=pa.array([True] * len(SHORT)))).message


def test_parquet_cells_that_are_empty_are_named(tmp_path: Path) -> None:
    volume = pa.array([None if row == 4 else 1 for row in range(len(SHORT))])
    assert "row 5: volume is empty" in refused(tmp_path, parquet_of(SHORT, volume=volume)).message


def test_truncated_and_damaged_parquet_is_refused(tmp_path: Path) -> None:
    content = parquet_of(SHORT)
    assert "truncated" in refused(tmp_path, content[:-9]).message
    assert "damaged" in refused(tmp_path, content[:-80] + b"\xff" * 72 + content[-8:]).message


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (b"2024-01-10T15:02:00Z,5000,5001,4999,5000.25\n", "line 4: 5 values"),
        (b"2024-01-10T15:02:00Z\n", "line 4: 1 value, "),
        (b"2024-01-10T15:02:00Z,5000,5001,4999,5000.25,7,8\n", "line 4: 7 values"),
        (b"2024-01-10T15:02:00Z,abc,5001,4999,5000.25,7\n", "line 4: open is 'abc'"),
        (b"2024-01-10T15:02:00Z,nan,5001,4999,5000.25,7\n", "line 4: open is not a finite number"),
        (b"2024-01-10T15:02:00Z,,5001,4999,5000.25,7\n", "line 4: open is ''"),
        (b"2024-01-10T15:02:00Z,5000,5001,4999,5000.25,7.5\n", "line 4: volume is not a whole number"),
        (b"2024-01-10T15:02:00Z,5000,5001,4999,5000.25,-7\n", "line 4: the bar has a negative volume"),
        (b"2024-01-10T15:02:00Z,5000,4990,4999,5000.25,7\n", "line 4: the bar has a high below"),
        (b"2024-01-10T15:02:00Z,5000,5001,5000.5,5000.25,7\n", "line 4: the bar has a high below, or a low above"),
        (b"2024-01-10T15:02:00Z,5000.1,5001,4999,5000.25,7\n", "line 4: the bar has a price that is not a multiple"),
        (b"2024-01-10T15:02:00Z,5000,5001,0,5000.25,7\n", "line 4: the bar has a price of zero or below"),
        (b"2024-01-10T15:02:00Z,5000,5001,-4999,5000.25,7\n", "line 4: the bar has a price of zero or below"),
        (b"2024-01-10T15:02:30Z,5000,5001,4999,5000.25,7\n", "line 4: the bar has a time that is not a whole minute"),
        (b"2024-01-10T14:59:00Z,5000,5001,4999,5000.25,7\n", "line 4: the bar of 2024-01-10T14:59:00Z comes after"),
        (b"2024-01-10T15:01:00Z,5000,5001,4999,5000.25,7\n", "line 4: a second bar of 2024-01-10T15:01:00Z"),
        (b"1924-01-10T15:01:00Z,5000,5001,4999,5000.25,7\n", "line 4: no bar is of the year 1924"),
        (b"10/01/2024 15:02Z,5000,5001,4999,5000.25,7\n", "line 4: '10/01/2024 15:02Z' is not a readable time"),
        (b"99999-01-10T15:01:00Z,5000,5001,4999,5000.25,7\n", "line 4"),
        (b'2024-01-10T15:02:00Z,"5000,5001,4999,5000.25,7\n', "line 4"),
        (b"2024-01-10T15:02:00Z,\xff,5001,4999,5000.25,7\n", "line 4: not text in UTF-8"),
    ],
)
def test_a_bad_row_is_refused_by_its_line_and_nothing_is_read(tmp_path: Path, rows: bytes, words: str) -> None:
    error = refused(tmp_path, HEADER + GOOD + rows)
    assert words in error.message
    assert error.code is ErrorCode.DATA_QUALITY_FAILED


def test_zero_and_negative_prices_are_read_for_crude_oil(tmp_path: Path) -> None:
    rows = b"2020-04-20T18:00:00Z,0.01,0.5,-1.00,-0.55,7\n2020-04-20T18:01:00Z,-0.55,0,-37.63,-37.63,7\n"
    (found,) = read(tmp_path, HEADER + rows, symbol="CL")
    assert found.bars.low.tolist() == [-1.0, -37.63]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (gzip.compress(b"", mtime=0), "unpacks to nothing"),
        (b" \n\n", "holds nothing"),
        (HEADER, "holds no bars"),
        (b"2024-01-10T15:00:00Z,1,1,1,1,1\n", "header line"),
        (b"ts,open,high,low,close\n" + b"2024-01-10T15:00:00Z,1,1,1,1\n", "no column volume"),
        (b"open,high,low,close,volume\n1,1,1,1,1\n", "no column ts"),
        (b"ts,ts,open,high,low,close,volume\n", "column ts twice"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        (b'{"detail": {"case": "auth_authentication_failed"}}', "JSON"),
        (b"PK\x03\x04...", "zip archive"),
        (gzip.compress(HEADER + GOOD, mtime=0)[:-4], "truncated"),
        (damaged(gzip.compress(HEADER + GOOD, mtime=0)), "damaged"),
        (packed(HEADER + GOOD)[:-6], "truncated"),
        (damaged(packed(HEADER + GOOD)), "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_are_no_bars_are_refused_with_what_they_are(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused(tmp_path, content).message


def test_longer_bars_are_refused(tmp_path: Path) -> None:
    hourly = made_bars().take(slice(0, None, 5))
    assert "5 minutes apart" in refused(tmp_path, csv_of(hourly)).message


def test_a_missing_file_a_folder_and_an_unreadable_path_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(GantryError) as caught:
        read_bars_file(tmp_path / "none.csv")
    assert caught.value.code is ErrorCode.NOT_FOUND
    for path in (tmp_path, "a\0b"):
        with pytest.raises(GantryError) as caught:
            read_bars_file(path)
        assert caught.value.code is ErrorCode.VALIDATION_FAILED


@pytest.mark.timeout(10)
def test_a_pipe_or_an_endless_device_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(GantryError) as caught:
            read_bars_file(path, symbol="ES")
        assert "is not a regular file" in caught.value.message


def test_a_file_name_that_is_not_text_is_reported_as_one_that_can_be_stored(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.csv")
    path.write_bytes(csv_of(SHORT))
    (found,) = read_bars_file(path, symbol="ES")
    assert found.source_name == "?.csv"


@pytest.mark.parametrize("name", ["ES\0", "a\nb", "x" * 41])
def test_contracts_that_can_not_be_names_are_refused(tmp_path: Path, name: str) -> None:
    error = refused(tmp_path, parquet_of(SHORT, contract=pa.array([name] * len(SHORT))))
    assert error.code is ErrorCode.DATA_QUALITY_FAILED
    assert "has a contract named" in error.message


def test_parquet_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    assert "has column open twice" in refused(tmp_path, parquet_of(SHORT, Open=SHORT.open)).message
