"""Files as Polygon, Barchart, Excel and Interactive Brokers write them: read as they come."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import GantryError
from services.bars.files.read_file import notes_on
from tests.factories.reading_files import same_bars, taken
from tests.factories.report_files import SESSIONS
from tests.factories.written_bars import PLAIN_NAMES, Way, bars_of_walk, file_of, rows_of, written

Names = dict[str, tuple[str, ...]]
BARS = bars_of_walk("ES", "2024-01-17T15:00", 60, contract="ESH24")

BARCHART = Way(
    names={**PLAIN_NAMES, "time": ("Time",), "close": ("Latest",), "change": ("Change",), "percent": ("%Change",)},
    order=("time", "open", "high", "low", "close", "change", "percent", "volume"),
    zone="America/Chicago",
    date="%m/%d/%Y",
    clock="%H:%M",
    offset="",
)
FOOTER = "Downloaded from Barchart.com as of 01-31-2024 04:12pm CST"
CHICAGO: dict[str, Any] = {"symbol": "ES", "tz": "America/Chicago"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bars.csv"


def test_a_flat_file_of_polygon_is_read_with_its_opens_in_nanoseconds_and_its_tickers(path: Path) -> None:
    names: Names = {**PLAIN_NAMES, "time": ("window_start",), "symbol": ("ticker",)}
    order = ("symbol", "volume", "open", "close", "high", "low", "time")
    way = Way(names=names, order=order, counts="ns", extra=("transactions",))
    content = written(rows_of(BARS, replace(way, symbol="ESH4")), way)
    assert content.startswith(b"ticker,volume,open,close,high,low,window_start,transactions\nESH4,")
    found = taken(path, content)
    assert same_bars(found.bars, BARS)
    assert found.source_details["time_column"] == "window_start"


def test_a_count_of_nanoseconds_beyond_all_times_is_refused_by_its_line(path: Path) -> None:
    content = file_of(BARS, Way(counts="ns"))
    first = content.splitlines()[1].split(b",")[0]
    with pytest.raises(GantryError, match="line 2: ts is '9999999999999999999', which can't be read as a time"):
        taken(path, content.replace(first, b"9" * 19, 1), symbol="ES")


def of_barchart(*, newest_first: bool = False) -> bytes:
    """Return its file without the footer."""
    rows = [row | {"Change": "-0.25", "%Change": "-0.01%"} for row in rows_of(BARS, BARCHART)]
    return written(rows[::-1] if newest_first else rows, BARCHART)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("line", [f'"{FOOTER}"', FOOTER, f'"{FOOTER}"\n', f"{FOOTER},,,,,,,\r\n\r\n"])
def test_a_footer_of_barchart_is_left_out_counted_and_named(path: Path, line: str, newest_first: bool) -> None:
    found = taken(path, of_barchart(newest_first=newest_first) + line.encode(), **CHICAGO)
    assert same_bars(found.bars, replace(BARS, contracts=("",)))
    assert found.source_details["columns"]["close"] == "latest"
    assert notes_on([found]) == (f"Left out: 1 row of footer text ({FOOTER}).",)


@pytest.mark.parametrize(
    "line", ["01/17/2024 10:00", "01/17/2024", "01/1", "Down", "4750.25", '"Downloaded from Bar', f"{FOOTER},7"]
)
def test_a_last_line_that_may_be_a_cut_row_is_still_refused(path: Path, line: str) -> None:
    with pytest.raises(GantryError) as caught:
        taken(path, of_barchart() + line.encode(), **CHICAGO)
    assert caught.value.fix == "Download or export the file again, whole."


def test_a_row_cut_behind_a_name_of_several_words_is_no_footer(path: Path) -> None:
    way = Way(names={**PLAIN_NAMES, "contract": ("contract",)}, order=("contract", *Way().order))
    content = written([row | {"contract": "Mini Future Of March"} for row in rows_of(BARS, way)], way)
    with pytest.raises(GantryError, match="line 62: 1 value, the header names 7"):
        taken(path, content + b"Mini Future Of June", symbol="ES")


def test_a_text_between_rows_is_refused_by_its_line(path: Path) -> None:
    lines = of_barchart().decode().splitlines()
    with pytest.raises(GantryError, match="line 6: 1 value, the header names 8"):
        taken(path, "\n".join([*lines[:5], FOOTER, *lines[5:], ""]).encode(), **CHICAGO)


@pytest.mark.parametrize(
    ("first", "delimiter", "decimal"),
    [
        ("sep=;", ";", ","),
        ("sep=,", ",", "."),
        ("sep=\t", "\t", "."),
        ("SEP=|", "|", "."),
        ('"sep=;"', ";", "."),
        ("\ufeffsep=;;;;;;", ";", ","),
        ("sep=\\t", "\t", ","),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_first_line_for_excel_sets_the_sign_between_values(
    path: Path, first: str, delimiter: str, decimal: str, newline: str
) -> None:
    content = file_of(BARS, Way(delimiter=delimiter, decimal=decimal, newline=newline))
    found = taken(path, f"{first}{newline}".encode() + content, symbol="ES")
    assert same_bars(found.bars, replace(BARS, contracts=("",)))
    assert found.source_details["delimiter"] == delimiter


def test_lines_below_a_first_line_for_excel_keep_their_numbers(path: Path) -> None:
    content = b"sep=;\n" + file_of(BARS, Way(delimiter=";")).replace(b"15:03:00Z", b"15:0x:00Z")
    with pytest.raises(GantryError, match="line 6: "):
        taken(path, content, symbol="ES")


def test_a_first_line_for_excel_alone_holds_no_bars(path: Path) -> None:
    with pytest.raises(GantryError, match="holds no bars"):
        taken(path, b"sep=;\n", symbol="ES")


def of_ib(zone: str, *, written_as: str = "", way: Way | None = None) -> bytes:
    """Return the bars by a clock of that zone, which stands behind each time."""
    way = way or Way(date="%Y%m%d")
    return file_of(BARS, replace(way, zone=zone, offset=f" {written_as or zone}"))


@pytest.mark.parametrize("zone", ["US/Central", "America/Chicago", "US/Eastern", "Europe/London"])
@pytest.mark.parametrize(
    "way",
    [
        Way(date="%Y%m%d"),
        Way(date="%Y%m%d "),
        Way(clock="%I:%M %p"),
        Way(names={**PLAIN_NAMES, "time": ("Date", "Time")}),
        Way(header=False, date="%Y%m%d"),
    ],
)
def test_the_zone_is_read_from_the_stamps_that_name_it(path: Path, zone: str, way: Way) -> None:
    found = taken(path, of_ib(zone, way=way), symbol="ES")
    assert same_bars(found.bars, replace(BARS, contracts=("",)))
    assert found.source_details["tz"] == zone.replace("US/Central", "America/Chicago").replace(
        "US/Eastern", "America/New_York"
    )


@pytest.mark.parametrize("tz", ["US/Central", "America/Chicago"])
def test_an_option_that_says_what_the_stamps_do_is_no_contradiction(path: Path, tz: str) -> None:
    found = taken(path, of_ib("US/Central"), symbol="ES", tz=tz)
    assert same_bars(found.bars, replace(BARS, contracts=("",)))


@pytest.mark.parametrize("tz", ["UTC", "America/New_York"])
def test_an_option_that_contradicts_the_stamps_is_refused_saying_so(path: Path, tz: str) -> None:
    with pytest.raises(GantryError) as caught:
        taken(path, of_ib("US/Central"), symbol="ES", tz=tz)
    assert caught.value.message == f"--tz is {tz}, but the times of column ts name the zone America/Chicago."
    assert caught.value.fix == "Leave --tz away."


@pytest.mark.parametrize(("zone", "says"), [(" US/Eastern", "names the zone US/Eastern"), ("", "names no zone")])
def test_a_file_whose_stamps_name_two_zones_is_refused_by_its_line(path: Path, zone: str, says: str) -> None:
    lines = of_ib("US/Central").decode().splitlines(keepends=True)
    lines[7] = lines[7].replace(" US/Central", zone)
    with pytest.raises(GantryError, match=f"line 8: ts {says}, others before it US/Central"):
        taken(path, "".join(lines).encode(), symbol="ES")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (of_ib("UTC", written_as="Mars/Base"), "line 2: ts names an unknown time zone, 'Mars/Base'"),
        (of_ib("US/Central").replace(b"ts,", b"ts_utc,", 1), "names the zone America/Chicago, but column ts_utc is in"),
    ],
)
def test_a_zone_that_can_not_be_meant_is_refused(path: Path, content: bytes, says: str) -> None:
    with pytest.raises(GantryError, match=says) as caught:
        taken(path, content, symbol="ES")
    assert "Export the times in UTC" in caught.value.fix


def test_a_zone_that_is_wrong_in_the_file_is_named_and_no_option_is_offered_against_it(path: Path) -> None:
    content = file_of(SESSIONS, Way(zone="America/New_York", offset=" Europe/London"))
    with pytest.raises(GantryError) as caught:
        taken(path, content, symbol="ES")
    assert "The zone that the file states is wrong then." in caught.value.message
    assert caught.value.fix.startswith("Export the times in UTC; or without a zone, and give --tz America/New_York")
