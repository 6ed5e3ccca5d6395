"""Real bars: Databento's file of 6E and the CSV it was made from, per-expiry ES and GC, and every other schema."""

import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from integrations.files.reader import read_bars_file
from tests.factories.rolling import that_roll
from trading.bars.front import windows
from trading.bars.hashing import content_hash
from trading.bars.holes import holes_of
from trading.bars.months import split_months
from trading.bars.quality import MonthVerdict, ProblemCode, assess
from trading.bars.ticks import to_ticks
from trading.instruments import get_instrument

pytestmark = pytest.mark.real
DATA = Path(os.environ.get("GANTRY_TEST_DATA", ""))
EURO_DBN = DATA / "6E_2024-01" / "6EH4.ohlcv-1m.dbn.zst"
EURO_CSV = DATA / "6E_2024-01" / "6EH4.XCME_1min_bars_20240101_20240131.csv.gz"
SAMPLES = DATA / "databento_samples"


def test_the_euros_january_is_29996_clean_bars() -> None:
    (found,) = read_bars_file(EURO_DBN)
    assert (found.bars.symbol, len(found.bars), found.bars.contracts) == ("6E", 29_996, ("6EH24",))
    report = assess(found.bars, get_instrument("6E"))
    assert (report.verdict, report.problems) == (MonthVerdict.OK, ())
    assert report.coverage > 0.98


def test_the_close_stamped_csv_of_the_same_data_has_the_same_content_hash() -> None:
    euro = get_instrument("6E")
    (dbn,), (text,) = read_bars_file(EURO_DBN), read_bars_file(EURO_CSV, symbol="6E", stamp="close")
    assert content_hash(text.bars, euro) == content_hash(dbn.bars, euro)
    (wrong,) = read_bars_file(EURO_CSV, symbol="6E")
    (problem,) = [one for one in assess(wrong.bars, euro).problems if one.code is ProblemCode.MIS_STAMPED]
    assert "--stamp close" in problem.fix


def test_es_expiries_roll_in_december_2013_on_real_prices() -> None:
    es = get_instrument("ES")
    (found,) = read_bars_file(DATA / "lean_es_gc" / "es_1m.parquet")
    assert len(found.bars) == 23_948
    assert {one.month: assess(one.bars, es).verdict for one in split_months(found.bars)} == {
        "2013-10": MonthVerdict.WARN,
        "2013-11": MonthVerdict.OK,  # to 16:14 Chicago time, as sessions went on then
        "2013-12": MonthVerdict.WARN,
        "2020-01": MonthVerdict.OK,
    }
    bars = that_roll(found.bars)
    window = windows(bars, es)[4]
    (roll,) = window.rolls
    assert (roll.old_contract, roll.new_contract) == ("ESZ13", "ESH14")
    assert window.bars.ts[roll.index].astype("datetime64[ns]") == np.datetime64("2013-12-20T00:00", "ns")
    at_roll = bars.take(bars.ts == window.bars.ts[roll.index])
    opens = dict(zip(at_roll.contract.tolist(), to_ticks(at_roll.open, es).tolist(), strict=True))
    assert roll.old_exit_ticks == opens[0]
    assert roll.difference_ticks == opens[1] - opens[0]


def test_each_hole_of_scattered_days_ends_a_window() -> None:
    es = get_instrument("ES")
    (found,) = read_bars_file(DATA / "lean_es_gc" / "es_1m.parquet")
    whole = windows(found.bars, es)
    fronts = [{window.bars.contracts[number] for number in window.bars.contract.tolist()} for window in whole]
    assert fronts == [{"ESZ13"}, {"ESZ13"}, {"ESZ13"}, {"ESZ13"}, {"ESH14"}, {"ESH20"}]
    assert [hole.sessions for hole in holes_of(found.bars, es)] == [9, 11, 8, 9, 1556]
    assert [window.rolls for window in whole] == [()] * 6


def test_gold_trades_its_december_contract_in_october_2013() -> None:
    (found,) = read_bars_file(DATA / "lean_es_gc" / "gc_1m.parquet")
    first = windows(found.bars, get_instrument("GC"))[0]
    assert {first.bars.contracts[number] for number in first.bars.contract.tolist()} == {"GCZ13"}
    assert assess(split_months(found.bars)[0].bars, get_instrument("GC")).verdict is MonthVerdict.OK


def test_a_file_of_two_symbols_gives_both() -> None:
    found = read_bars_file(SAMPLES / "ESU4_NQU4.ohlcv-1m.2024-07-01.dbn.zst")
    assert [(one.bars.symbol, len(one.bars), one.bars.contracts) for one in found] == [
        ("ES", 30, ("ESU24",)),
        ("NQ", 30, ("NQU24",)),
    ]


def test_every_other_schema_is_refused_by_its_name() -> None:
    for path in sorted(SAMPLES.glob("*.dbn.zst")):
        if "ohlcv-1m" in path.name:
            assert read_bars_file(path)
            continue
        with pytest.raises(GantryError, match="not ohlcv-1m") as caught:
            read_bars_file(path)
        assert caught.value.code is ErrorCode.VALIDATION_FAILED
        assert str(caught.value.facts["schema"]) in path.name


def test_the_euros_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    content = EURO_DBN.read_bytes()
    path = tmp_path / "cut.dbn.zst"
    for end in np.linspace(1, len(content) - 1, 40).astype(int).tolist():
        path.write_bytes(content[:end])
        with pytest.raises(GantryError):
            read_bars_file(path)
