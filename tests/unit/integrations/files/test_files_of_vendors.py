"""Files as Polygon, Barchart and Excel write them: read as they come."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import GantryError
from services.bars.files.read_file import notes_on
from tests.factories.reading_files import same_bars, taken
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
    with pytest.raises(GantryError, match="line 62: 1 values, the header names 7"):
        taken(path, content + b"Mini Future Of June", symbol="ES")


def test_a_text_between_rows_is_refused_by_its_line(path: Path) -> None:
    lines = of_barchart().decode().splitlines()
    with pytest.raises(GantryError, match="line 6: 1 values, the header names 8"):
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
