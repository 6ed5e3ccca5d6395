"""DBN files: symbols, contracts and versions read right; anything cut, foreign or damaged refused."""

from pathlib import Path

import numpy as np
import pytest
from databento_dbn import Schema, SType

from core.errors import ErrorCode, GantryError
from integrations.files.reader import read_bars_file
from integrations.files.types import FileBars
from tests.factories.bars import equal, made_bars
from tests.factories.bars_files import dbn_of, packed
from trading.bars.front import windows
from trading.bars.months import concatenate
from trading.bars.schema import Bars
from trading.instruments import get_instrument

YEAR = [("2024-01-01", "2025-01-01", 118)]
SHORT = made_bars("2024-01-09T23:00", "2024-01-10T03:00")


def read(tmp_path: Path, content: bytes, *, symbol: str | None = None) -> tuple[FileBars, ...]:
    path = tmp_path / "bars.dbn"
    path.write_bytes(content)
    return read_bars_file(path, symbol=symbol)


def refused(tmp_path: Path, content: bytes, *, symbol: str | None = None) -> GantryError:
    with pytest.raises(GantryError) as caught:
        read(tmp_path, content, symbol=symbol)
    return caught.value


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("zstd", [False, True])
def test_every_version_packed_or_not_gives_the_same_bars(tmp_path: Path, version: int, *, zstd: bool) -> None:
    content = dbn_of(SHORT, {"ESH4": YEAR}, version=version)
    (found,) = read(tmp_path, packed(content) if zstd else content)
    assert equal(found.bars, SHORT)
    assert found.source_name == "bars.dbn"
    assert len(found.source_sha256) == 64
    assert found.source_details["version"] == version


def test_several_zstd_frames_are_one_stream(tmp_path: Path) -> None:
    content = dbn_of(SHORT, {"ESH4": YEAR})
    (found,) = read(tmp_path, packed(content[:300]) + packed(content[300:]))
    assert equal(found.bars, SHORT)


def two_expiries() -> Bars:
    return concatenate([SHORT, made_bars("2024-01-09T23:00", "2024-01-10T03:00", contract="ESM24", first_tick=20_200)])


def test_raw_symbols_name_contracts_with_two_digits_of_the_year(tmp_path: Path) -> None:
    both = two_expiries()
    ids = np.where(both.contract == 0, 118, 7)
    (found,) = read(tmp_path, dbn_of(both, {"ESM4": [("2024-01-01", "2025-01-01", 7)], "ESH4": YEAR}, ids))
    assert equal(found.bars, both)


def test_each_symbol_comes_apart_and_one_can_be_asked_for(tmp_path: Path) -> None:
    nasdaq = made_bars("2024-01-09T23:00", "2024-01-10T03:00", symbol="NQ", contract="NQH24", first_tick=70_000)
    mixed = concatenate([SHORT, nasdaq])
    ids = np.where(mixed.contract == 0, 118, 9)
    content = dbn_of(mixed, {"ESH4": YEAR, "NQH4": [("2024-01-01", "2025-01-01", 9)]}, ids)
    first, second = read(tmp_path, content)
    assert equal(first.bars, SHORT)
    assert equal(second.bars, nasdaq)
    (only,) = read(tmp_path, content, symbol="NQ")
    assert equal(only.bars, nasdaq)
    assert only.source_details["records_left_out"] == len(SHORT)
    assert "holds bars of ES, NQ, not of CL" in refused(tmp_path, content, symbol="CL").message


def test_continuous_symbols_are_named_by_instrument_id_and_roll_where_it_changes(tmp_path: Path) -> None:
    series = made_bars("2024-01-09T20:00", "2024-01-10T03:00")
    ids = np.where(np.arange(len(series)) < 200, 118, 7)
    intervals = [("2024-01-01", "2024-01-10", 118), ("2024-01-09", "2025-01-01", 7)]
    (found,) = read(tmp_path, dbn_of(series, {"ES.v.0": intervals}, ids, stype_in=SType.CONTINUOUS))
    assert found.bars.symbol == "ES"
    assert found.bars.contracts == ("118", "7")
    (window,) = windows(found.bars, get_instrument("ES"))
    assert [(roll.index, roll.new_contract) for roll in window.rolls] == [(200, "7")]


def test_an_id_that_names_another_contract_later_is_distinguished_by_date(tmp_path: Path) -> None:
    series = made_bars("2024-01-09T20:00", "2024-01-10T03:00")
    mappings = {"ESH4": [("2024-01-01", "2024-01-10", 118)], "ESM4": [("2024-01-10", "2025-01-01", 118)]}
    (found,) = read(tmp_path, dbn_of(series, mappings))
    assert found.bars.contracts == ("ESH24", "ESM24")
    assert found.bars.contract.tolist() == (found.bars.ts >= 1704844800 * 10**9).astype(int).tolist()


def test_spreads_are_left_out_and_counted(tmp_path: Path) -> None:
    both = two_expiries()
    ids = np.where(both.contract == 0, 118, 7)
    mappings = {"ESH4": YEAR, "ESH4-ESM4": [("2024-01-01", "2025-01-01", 7)]}
    (found,) = read(tmp_path, dbn_of(both, mappings, ids))
    assert equal(found.bars, SHORT)
    assert found.source_details["records_left_out"] == len(SHORT)
    assert "no outright futures" in refused(tmp_path, dbn_of(SHORT, {"ESH4-ESM4": YEAR})).message


def test_records_without_a_mapping_need_a_symbol(tmp_path: Path) -> None:
    assert "--symbol" in refused(tmp_path, dbn_of(SHORT, {})).fix
    (found,) = read(tmp_path, dbn_of(SHORT, {}), symbol="ES")
    assert found.bars.contracts == ("1",)


@pytest.mark.parametrize("schema", [Schema.OHLCV_1S, Schema.OHLCV_1H, Schema.OHLCV_1D, Schema.TRADES, Schema.MBO])
def test_another_schema_is_refused_by_name(tmp_path: Path, schema: Schema) -> None:
    error = refused(tmp_path, dbn_of(SHORT, {"ESH4": YEAR}, schema=schema))
    assert error.code is ErrorCode.VALIDATION_FAILED
    assert f"schema {schema}" in error.message


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    content = dbn_of(SHORT, {"ESH4": YEAR})
    body = len(content) - 56 * len(SHORT)
    for end in (3, 7, 20, body - 1, body + 1, len(content) - 1, len(content) - 55):
        assert refused(tmp_path, content[:end]).code in (ErrorCode.DATA_QUALITY_FAILED, ErrorCode.VALIDATION_FAILED)
    zipped = packed(content)
    for end in (4, 50, len(zipped) // 2, len(zipped) - 1):
        assert "truncated" in refused(tmp_path, zipped[:end]).message


def test_a_record_that_is_no_minute_bar_is_named(tmp_path: Path) -> None:
    content = bytearray(dbn_of(SHORT, {"ESH4": YEAR}))
    content[len(content) - 56 * len(SHORT) + 56 * 3 + 1] = 32
    assert "record 4 is not a one-minute bar" in refused(tmp_path, bytes(content)).message


def test_records_none_at_all_or_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    assert "no records" in refused(tmp_path, dbn_of(SHORT.take(slice(0, 0)), {"ESH4": YEAR})).message
    newer = bytearray(dbn_of(SHORT, {"ESH4": YEAR}))
    newer[3] = 9
    assert "version 9" in refused(tmp_path, bytes(newer)).message


def test_stamps_and_zones_are_dbns_own(tmp_path: Path) -> None:
    path = tmp_path / "bars.dbn"
    path.write_bytes(dbn_of(SHORT, {"ESH4": YEAR}))
    with pytest.raises(GantryError, match="stamped in UTC at the bar's open"):
        read_bars_file(path, stamp="close")
    with pytest.raises(GantryError, match="stamped in UTC at the bar's open"):
        read_bars_file(path, tz="America/Chicago")
    assert len(read_bars_file(path, tz="utc", stamp="open")) == 1
