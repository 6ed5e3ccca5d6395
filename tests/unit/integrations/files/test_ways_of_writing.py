"""The same bars, however a file writes them: columns, dates, numbers, signs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.reading_files import same_bars, taken
from tests.factories.written_bars import PLAIN_NAMES, Way, bars_at_times, bars_of_walk, file_of, rows_of, written
from trading.sessions import HOUR_NS

EVENING = bars_of_walk("NQ", "2024-01-04T01:00", 20)  # 20:00 of the 3rd in New York
NIGHT = bars_of_walk("ES", "2024-01-17T04:50", 30)  # over midnight in New York
TWO = {**PLAIN_NAMES, "time": ("Date", "Time")}
NEW_YORK: dict[str, Any] = {"zone": "America/New_York", "offset": ""}
SEMICOLONS: dict[str, Any] = {"delimiter": ";", "decimal": ","}


def refused(path: Path, content: bytes, **options: Any) -> GantryError:
    with pytest.raises(GantryError) as caught:
        taken(path, content, **options)
    assert caught.value.fix
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bars.csv"


@pytest.mark.parametrize("clock", ["%H%M", "%H:%M", "%H:%M:%S", "%H%M%S", "%H:%M:%S.000", "%I:%M %p"])
@pytest.mark.parametrize("date", ["%Y%m%d", "%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y", "%Y/%m/%d", "%d/%m/%Y"])
def test_a_date_and_a_clock_time_in_two_columns_are_read_in_every_usual_way(path: Path, date: str, clock: str) -> None:
    for bars in (NIGHT, bars_of_walk("ES", "2024-01-04T00:30", 300)):
        way = Way(names=TWO, date=date, clock=clock, **NEW_YORK)
        assert same_bars(taken(path, file_of(bars, way), symbol="ES", tz="America/New_York").bars, bars)


def test_a_clock_time_of_four_digits_in_the_evening_is_never_a_year(path: Path) -> None:
    content = file_of(EVENING, Way(names=TWO, date="%Y%m%d", clock="%H%M", **NEW_YORK))
    assert b"20240103,2000" in content
    found = taken(path, content, symbol="NQ", tz="America/New_York")
    assert same_bars(found.bars, EVENING)
    assert found.source_details["columns"]["time"] == "date + time"


def test_clock_times_without_a_date_are_refused_as_that(path: Path) -> None:
    rows = [{"Time": row["Time"], **row} for row in rows_of(EVENING, Way(names=TWO, clock="%H%M", **NEW_YORK))]
    content = written(rows, Way(names={**PLAIN_NAMES, "time": ("Time",)}))
    error = refused(path, content, symbol="NQ", tz="America/New_York")
    assert "line 2: time is '2000', a time of day without a date" in error.message
    assert "Add a column date" in error.fix


def test_clock_times_without_leading_zeros_are_read(path: Path) -> None:
    bars = bars_of_walk("ES", "2024-01-17T04:58", 700)
    for clock in ("%H%M", "%H%M%S"):
        way = Way(names=TWO, date="%Y%m%d", clock=clock, zeros=False, **NEW_YORK)
        assert same_bars(taken(path, file_of(bars, way), symbol="ES", tz="America/New_York").bars, bars)


@pytest.mark.parametrize("clock", ["%H", "%-H"])
def test_hours_alone_are_never_minutes(path: Path, clock: str) -> None:
    hourly = bars_at_times("NQ", EVENING.ts[0] + np.arange(10) * HOUR_NS)
    way = Way(names=TWO, date="%Y%m%d", clock=clock, **NEW_YORK)
    refused(path, file_of(hourly, way), symbol="NQ", tz="America/New_York")


def test_days_and_months_are_distinguished_by_the_dates_of_the_file_or_refused(path: Path) -> None:
    midnight = bars_of_walk("ES", "2024-01-04T04:30", 60)  # from 3 to 4 January in New York
    for date in ("%m/%d/%Y", "%d/%m/%Y"):
        way = Way(names=TWO, date=date, clock="%H:%M", **NEW_YORK)
        assert same_bars(taken(path, file_of(midnight, way), symbol="ES", tz="America/New_York").bars, midnight)
        error = refused(path, file_of(EVENING, way), symbol="NQ", tz="America/New_York")
        assert "month first or day first" in error.message
        assert "2024-01-31" in error.fix


def test_a_file_without_a_header_is_read_in_the_usual_order(path: Path) -> None:
    bars = bars_of_walk("ES", "2024-01-04T15:00", 60)
    one = Way(header=False, **NEW_YORK)
    two = replace(one, names=TWO, date="%m/%d/%Y", clock="%H:%M")
    assert same_bars(taken(path, file_of(bars, one), symbol="ES", tz="America/New_York").bars, bars)
    found = taken(path, file_of(NIGHT, two), symbol="ES", tz="America/New_York")
    assert same_bars(found.bars, NIGHT)
    assert found.source_details["header"] == "none"


@pytest.mark.parametrize(
    "order",
    [
        ("time", "close", "high", "low", "open", "volume"),
        ("time", "open", "low", "high", "close", "volume"),
        ("time", "volume", "open", "high", "low", "close"),
    ],
)
def test_columns_without_names_in_another_order_are_refused(path: Path, order: tuple[str, ...]) -> None:
    bars = bars_of_walk("ES", "2024-01-04T15:00", 60)
    refused(path, file_of(bars, Way(header=False, order=order)), symbol="ES")


@pytest.mark.parametrize(
    "extra", [{"extra": ("OI",)}, {"order": ("time", "open", "high", "low", "close")}, {"symbol": "ES"}]
)
def test_more_or_fewer_columns_without_names_ask_for_a_header(path: Path, extra: dict[str, Any]) -> None:
    content = file_of(bars_of_walk("ES", "2024-01-04T15:00", 60), Way(header=False, **extra))
    error = refused(path, content, symbol="ES")
    assert "header line" in error.message
    assert "ts,open,high,low,close,volume" in error.fix


@pytest.mark.parametrize(
    "names",
    [
        {"close": ("Last",)},
        {"volume": ("Vol",)},
        {"volume": ("TotalVolume",)},
        {"volume": ("Up", "Down")},
        {"time": ("<DATE>", "<TIME>"), "open": ("<OPEN>",), "close": ("<CLOSE>",), "volume": ("<VOL>",)},
        {"time": ("Gmt time",)},
        {"time": ("Date/Time",), "high": ("H",), "low": ("L",)},
    ],
)
def test_columns_go_by_the_names_that_platforms_give_them(path: Path, names: dict[str, tuple[str, ...]]) -> None:
    bars = bars_of_walk("ES", "2024-01-04T15:00", 60)
    way = Way(names={**PLAIN_NAMES, **names}, order=("time", "volume", "high", "low", "close", "open"), extra=("OI",))
    assert same_bars(taken(path, file_of(bars, way), symbol="ES").bars, bars)


def test_two_columns_that_may_both_be_the_volume_must_hold_the_same(path: Path) -> None:
    rows = rows_of(NIGHT, Way(extra=("Vol",)))
    error = refused(path, written(rows, Way(extra=("Vol",))), symbol="ES")
    assert "columns volume and vol differ" in error.message
    same = [{**row, "Vol": row["volume"]} for row in rows]
    assert same_bars(taken(path, written(same, Way(extra=("Vol",))), symbol="ES").bars, NIGHT)


@pytest.mark.parametrize("symbol", ["ES", "YM", "GC", "CL", "6E"])
@pytest.mark.parametrize(
    "marks",
    [
        SEMICOLONS,
        {"delimiter": "\t", "decimal": ","},
        {**SEMICOLONS, "thousands": "."},
        {"thousands": ","},
        {"delimiter": ";", "thousands": ","},
        {**SEMICOLONS, "thousands": " "},
        {**SEMICOLONS, "thousands": "\u202f"},
        {"delimiter": ";", "thousands": "'"},
        {"delimiter": "|"},
        {"quotes": True},
        {"decimal": ","},
        {**SEMICOLONS, "header": False},
    ],
    ids=str,
)
def test_decimal_commas_and_signs_between_thousands_are_read(path: Path, symbol: str, marks: dict[str, Any]) -> None:
    bars = bars_of_walk(symbol, "2024-01-17T15:00", 60)
    assert same_bars(taken(path, file_of(bars, Way(**marks)), symbol=symbol).bars, bars)


def test_a_number_that_may_be_two_is_refused(path: Path) -> None:
    error = refused(path, of_one_price("1.500"), symbol="CL")
    assert "line 2: open is '1.500', which may be 1.5 or 1500" in error.message
    assert "without signs between thousands" in error.fix


@pytest.mark.parametrize(
    ("price", "symbol", "value"),
    [("72.350", "CL", 72.35), ("24.005", "SI", 24.005), ("37.412", "YM", 37_412), ("4.750", "ES", 4750)],
)
def test_a_number_that_may_be_two_is_the_one_of_the_instruments_size(
    path: Path, price: str, symbol: str, value: float
) -> None:
    found = taken(path, of_one_price(price), symbol=symbol)
    assert set(found.bars.close.tolist()) == {value}


def of_one_price(price: str) -> bytes:
    """Return a file with semicolons, in which every price is that one."""
    rows = [f"2024-01-17T15:{minute:02d}:00Z;{price};{price};{price};{price};7" for minute in range(20)]
    return "\n".join(["ts;open;high;low;close;volume", *rows, ""]).encode()


def test_a_damaged_number_in_a_file_of_decimal_commas_is_named_by_its_line(path: Path) -> None:
    lines = file_of(NIGHT, Way(**SEMICOLONS)).decode().splitlines(keepends=True)
    lines[7] = lines[7].replace(",", ",,", 1)
    assert "line 8" in refused(path, "".join(lines).encode(), symbol="ES").message


@pytest.mark.parametrize(
    "marks", [{"bom": True}, {"newline": "\r\n"}, {"bom": True, "newline": "\r\n", "quotes": True}]
)
def test_marks_of_spreadsheets_are_no_part_of_the_bars(path: Path, marks: dict[str, Any]) -> None:
    assert same_bars(taken(path, file_of(NIGHT, Way(**marks)), symbol="ES").bars, NIGHT)


def test_a_last_line_that_lost_decimals_is_refused_and_one_without_an_end_is_noted(path: Path) -> None:
    last = Way(order=("time", "volume", "open", "high", "low", "close"))
    content = file_of(NIGHT, last)
    error = refused(path, content[:-2], symbol="ES")
    assert error.code is ErrorCode.DATA_QUALITY_FAILED
    assert "truncated" in error.message
    assert taken(path, content[:-1], symbol="ES").source_details["final_newline"] is False


def test_a_file_that_is_newest_first_is_read_from_its_end(path: Path) -> None:
    content = written(rows_of(NIGHT, Way())[::-1], Way())
    found = taken(path, content, symbol="ES")
    assert same_bars(found.bars, NIGHT)
    assert found.source_details["order"] == "newest first"
    damaged = content.replace(b"4750", b"475O", 1)
    line = content[: content.index(b"4750")].count(b"\n") + 1
    assert f"line {line}: " in refused(path, damaged, symbol="ES").message


def test_a_sign_between_values_at_the_end_of_every_line_holds_no_value(path: Path) -> None:
    lines = file_of(NIGHT, Way()).decode().splitlines()
    content = "\n".join([lines[0], *(f"{line}," for line in lines[1:]), ""])
    assert same_bars(taken(path, content.encode(), symbol="ES").bars, NIGHT)
    assert (
        "line 5: 7 values" in refused(path, "\n".join([*lines[:4], f"{lines[4]},", ""]).encode(), symbol="ES").message
    )
    beyond = "\n".join([lines[0], *(f"{line}," for line in lines[1:9]), f"{lines[9]},7", ""])
    assert "line 10: 7 values" in refused(path, beyond.encode(), symbol="ES").message


def test_a_first_column_without_a_name_is_the_time(path: Path) -> None:
    content = file_of(NIGHT, Way()).replace(b"ts,", b",", 1)
    assert same_bars(taken(path, content, symbol="ES").bars, NIGHT)
