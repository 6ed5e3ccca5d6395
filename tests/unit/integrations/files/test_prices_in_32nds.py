"""Prices in 32nds of a point are refused as that, and never taken for other numbers."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.reading_files import same_bars, taken
from tests.factories.written_bars import Way, bars_of_walk, file_of

HEADER = "ts,open,high,low,close,volume\n"


def file_with(price: str, *, header: str = HEADER, before: str = "") -> bytes:
    """Return a file in which each price is that one, but for the first row's where another is given."""
    prices = [before or price, *[price] * 9]
    rows = [f"2024-01-17T15:{minute:02d}:00Z{f',{one}' * 4},7" for minute, one in enumerate(prices)]
    return (header + "\n".join(rows) + "\n").encode()


def refused(path: Path, content: bytes, **options: Any) -> GantryError:
    with pytest.raises(GantryError) as caught:
        taken(path / "bars.csv", content, **options)
    return caught.value


@pytest.mark.parametrize("header", [HEADER, ""])
@pytest.mark.parametrize(
    "price", ["111-000", "111'16", "111-16", "111'160", "111-165", "111-16+", "111^16", "99\u2019315"]
)
def test_a_price_in_32nds_is_refused_with_the_cause_and_the_fix(tmp_path: Path, price: str, header: str) -> None:
    error = refused(tmp_path, file_with(price, header=header), symbol="ZN")
    assert error.code is ErrorCode.DATA_QUALITY_FAILED
    assert f"line {2 if header else 1}: open is {price!r}, a price in 32nds of a point" in error.message
    assert error.fix == "Export prices as decimals, such as 111.5 for 111-16."


def test_a_price_in_32nds_among_decimals_is_named_by_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, file_with("111'160", before="111.5"), symbol="ZN")
    assert 'line 3: open is "111\'160", a price in 32nds' in error.message


def test_prices_in_32nds_are_named_for_another_symbol_too(tmp_path: Path) -> None:
    assert "a price in 32nds" in refused(tmp_path, file_with("111-16"), symbol="ES").message


def test_thousands_apart_by_an_apostrophe_are_no_32nds(tmp_path: Path) -> None:
    found = taken(tmp_path / "bars.csv", file_with("37'112"), symbol="YM")
    assert set(found.bars.close.tolist()) == {37_112}


def test_decimals_of_the_same_instrument_are_read(tmp_path: Path) -> None:
    bars = bars_of_walk("ZN", "2024-01-17T15:00", 60)
    assert same_bars(taken(tmp_path / "bars.csv", file_of(bars, Way(thousands="'")), symbol="ZN").bars, bars)
