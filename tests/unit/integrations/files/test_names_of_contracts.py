"""Names of symbols and contracts as vendors and platforms write them; spreads are counted, never read."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import GantryError
from integrations.files.names import NameKind, read_name
from integrations.files.types import LeftOut
from tests.factories.reading_files import same_bars, taken
from tests.factories.written_bars import Way, bars_of_walk, columns_of, file_of, rows_of, written


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bars.csv"


@pytest.mark.parametrize(
    "text",
    [
        *("ESH4", "ESH24", "ESH2024", "/ESH24", "/ESH24:XCME", "@ESH24", "CME_MINI:ESH2024", "ES 202403", "ES 03-24"),
        *("ES MAR24", "ES MAR 24", "ESH24.CME", "esh24", "ES 2024-03"),
    ],
)
@pytest.mark.parametrize("symbol", [None, "ES"])
def test_a_contract_has_one_name_however_the_file_writes_it(path: Path, text: str, symbol: str | None) -> None:
    bars = bars_of_walk("ES", "2024-01-04T15:00", 30, contract="ESH24")
    assert same_bars(taken(path, file_of(bars, Way(symbol=text)), symbol=symbol).bars, bars)


@pytest.mark.parametrize(
    "text", ["ES", "ES.c.0", "ES.v.1", "ES.n.0", "ES=F", "ES1!", "CME_MINI:ES1!", "@ES", "@ES#C", "/ES", "es"]
)
@pytest.mark.parametrize("symbol", [None, "ES"])
def test_a_series_of_contracts_names_the_symbol_alone(path: Path, text: str, symbol: str | None) -> None:
    bars = bars_of_walk("ES", "2024-01-04T15:00", 30)
    assert same_bars(taken(path, file_of(bars, Way(symbol=text)), symbol=symbol).bars, bars)


@pytest.mark.parametrize(("text", "root"), [("6EH4", "6E"), ("6E1!", "6E"), ("M2K1!", "M2K"), ("MNQ 03-24", "MNQ")])
def test_products_with_digits_in_their_names_are_read(text: str, root: str) -> None:
    assert read_name(text).root == root


def test_a_continuous_symbol_with_ids_of_instruments_keeps_them_as_contracts(path: Path) -> None:
    bars = bars_of_walk("ES", "2024-01-04T15:00", 30, contract="17077")
    way = Way(symbol="ES.c.0", extra=("instrument_id",))
    rows = [{**row, "instrument_id": "17077"} for row in rows_of(bars, way)]
    for symbol in (None, "ES"):
        assert same_bars(taken(path, written(rows, way), symbol=symbol).bars, bars)


@pytest.mark.parametrize(
    "text",
    [
        *("ESH4-ESM4", "ESH24-ESM24", "ESH2024-ESM2024", "CME_MINI:ESH2024-CME_MINI:ESM2024", "GC:BF J4-M4-Q4"),
        *("CLH4+CLJ4", "UD:1V: 12 0123456", "ES H4-M4", "ESH4/ESM4", "esh4-esm4"),
    ],
)
def test_spreads_are_known_by_their_names(text: str) -> None:
    assert read_name(text).kind is NameKind.SPREAD


@pytest.mark.parametrize("symbol", [None, "ES"])
def test_rows_of_spreads_are_left_out_counted_and_named(path: Path, symbol: str | None) -> None:
    content, bars = with_spread()
    found = taken(path, content, symbol=symbol)
    assert same_bars(found.bars, bars)
    assert found.left_out == (LeftOut("spreads", 30, ("ESH4-ESM4",)),)


def test_rows_of_other_symbols_are_counted_when_one_is_asked_for(path: Path) -> None:
    content, bars = with_spread(other="NQH4")
    found = taken(path, content, symbol="ES")
    assert same_bars(found.bars, bars)
    assert found.left_out == (LeftOut("other symbols", 30, ("NQH4",)),)


def test_a_file_of_spreads_alone_is_refused_as_that(path: Path) -> None:
    content = file_of(bars_of_walk("ES", "2024-01-04T15:00", 30), Way(symbol="ESH4-ESM4"))
    with pytest.raises(GantryError, match=r"holds no outright futures \(ESH4-ESM4\)"):
        taken(path, content, symbol="ES")


@pytest.mark.parametrize(
    ("symbol", "options", "words"),
    [
        ("ESH4", {"symbol": "CL"}, "--symbol ES"),
        ("S&P", {"symbol": "ES"}, "leave the column of symbols out"),
        ("ZZZH24", {}, "Use one of ES"),
    ],
)
def test_a_symbol_that_is_another_or_none_is_refused_with_what_to_do(
    path: Path, symbol: str, options: dict[str, Any], words: str
) -> None:
    content = file_of(bars_of_walk("ES", "2024-01-04T15:00", 30), Way(symbol=symbol))
    with pytest.raises(GantryError) as caught:
        taken(path, content, **options)
    assert words in caught.value.fix


def with_spread(other: str = "ESH4-ESM4") -> tuple[bytes, Any]:
    """Return a file in which every second row is of something else, and the bars of ESH24 in it."""
    bars, way = bars_of_walk("ES", "2024-01-04T15:00", 30, contract="ESH24"), Way(symbol="ESH4")
    spread = dict.fromkeys(("open", "high", "low", "close"), "-55.05") if "-" in other else {}
    rows = [row for one in rows_of(bars, way) for row in ({**one, **spread, "symbol": other}, one)]
    assert columns_of(way)[-1] == "symbol"
    return written(rows, way), bars
