"""Files as Polygon writes them: read as they come."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.factories.reading_files import same_bars, taken
from tests.factories.written_bars import PLAIN_NAMES, Way, bars_of_walk, rows_of, written

Names = dict[str, tuple[str, ...]]
BARS = bars_of_walk("ES", "2024-01-17T15:00", 60, contract="ESH24")


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
