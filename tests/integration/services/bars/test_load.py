"""What a backtest reads: one label, whole months, exactly the bars the catalogue names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.bars.load import LoadedBars, list_months, load_bars
from services.bars.simulate import simulate_months
from sql.engine import Transactions
from tests.factories.bars import equal, made_bars
from tests.factories.databases import OwnerSql
from tests.factories.imported_bars import NOW, Import
from trading.bars.hashing import content_hash
from trading.bars.months import concatenate
from trading.bars.resample import resample
from trading.bars.schema import Bars, Timeframe
from trading.instruments import get_instrument

ES = get_instrument("ES")
MONTHS = ("2023-11", "2023-12", "2024-01")


def load(
    tx: Transactions,
    store: BarsStore,
    *,
    timeframe: Timeframe = Timeframe.M1,
    start: str | None = None,
    end: str | None = None,
) -> LoadedBars:
    return load_bars(tx, store, "ES", timeframe=timeframe, start=start, end=end)


def test_months_come_as_one_series_with_their_hash_and_label(tx: Transactions, store: BarsStore) -> None:
    simulate_months(tx, store, ["ES", "NQ"], MONTHS, seed=3, actor="test", now=NOW)
    loaded = load(tx, store)
    assert equal(loaded.bars, concatenate([simulate_month(ES, month, 3) for month in MONTHS]))
    assert loaded.label == "SIMULATED"
    assert [ref.month for ref in loaded.catalogue] == list(MONTHS)
    assert loaded.bars_hash == content_hash(loaded.bars, ES)
    assert {ref.id for ref in loaded.catalogue} == {row.id for row in list_months(tx, symbol="ES")}


def test_a_window_of_months_is_inclusive_and_changes_the_hash(tx: Transactions, store: BarsStore) -> None:
    simulate_months(tx, store, ["ES"], MONTHS, actor="test", now=NOW)
    part = load(tx, store, start="2023-12", end="2023-12")
    assert [ref.month for ref in part.catalogue] == ["2023-12"]
    assert part.bars_hash == part.catalogue[0].content_hash != load(tx, store).bars_hash


def test_longer_timeframes_are_resampled_over_the_whole_series(tx: Transactions, store: BarsStore) -> None:
    simulate_months(tx, store, ["ES"], MONTHS, actor="test", now=NOW)
    minutes, days = load(tx, store), load(tx, store, timeframe=Timeframe.D1)
    assert equal(days.bars, resample(minutes.bars, Timeframe.D1, ES))
    assert days.bars_hash == content_hash(days.bars, ES)


def test_per_expiry_bars_come_back_as_they_were(tx: Transactions, store: BarsStore, import_bars: Import) -> None:
    near = made_bars("2024-01-30T23:00", "2024-02-01T22:00")
    far = replace(near, contracts=("ESM24",), close=near.close + 0.0, volume=near.volume + 1)
    both = concatenate([near, far])
    assert both.per_expiry
    import_bars(both)
    assert equal(load(tx, store).bars, both)


def test_expiries_known_by_id_only_load_over_months_that_list_them_in_another_order(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    def both(start: str, end: str, *ids: str) -> Bars:
        first, second = (made_bars(start, end, contract=name, volume=100 + int(name)) for name in ids)
        return concatenate([first, second])

    january = both("2024-01-30T23:00", "2024-02-01T00:00", "777", "118")
    february = both("2024-02-01T00:00", "2024-02-02T22:00", "118", "777")
    import_bars(january, "january.parquet")
    import_bars(february, "february.parquet")
    assert equal(load(tx, store).bars, concatenate([january, february]))


def test_simulated_months_are_left_out_as_soon_as_a_symbol_has_a_real_one(
    tx: Transactions, store: BarsStore, import_bars: Import
) -> None:
    simulate_months(tx, store, ["ES"], MONTHS, actor="test", now=NOW)
    import_bars(made_bars("2024-01-08T23:00", "2024-01-11T22:00"))
    loaded = load(tx, store)
    assert (loaded.label, [ref.month for ref in loaded.catalogue]) == ("IMPORTED", ["2024-01"])
    with pytest.raises(GantryError) as caught:
        load(tx, store, end="2023-12")
    assert caught.value.code is ErrorCode.DATA_UNAVAILABLE


def test_missing_bars_and_an_unknown_symbol_are_reported(tx: Transactions, store: BarsStore) -> None:
    with pytest.raises(GantryError, match="There are no bars of ES") as caught:
        load(tx, store)
    assert caught.value.code is ErrorCode.DATA_UNAVAILABLE
    with pytest.raises(GantryError, match="Unknown symbol"):
        load_bars(tx, store, "XX", timeframe=Timeframe.M1, start=None, end=None)


def test_a_blocked_month_is_never_loaded(tx: Transactions, store: BarsStore, owner_sql: OwnerSql) -> None:
    simulate_months(tx, store, ["ES"], MONTHS, actor="test", now=NOW)
    owner_sql("UPDATE bars_catalogue SET quality = 'BLOCKED' WHERE month = '2023-12'")
    with pytest.raises(GantryError) as caught:
        load(tx, store)
    assert caught.value.code is ErrorCode.DATA_QUALITY_FAILED
    assert caught.value.facts["months"] == ["2023-12"]
    assert load(tx, store, start="2024-01").label == "SIMULATED"


@pytest.mark.parametrize("damage", ["gone", "cut", "bytes flipped", "other month"])
def test_a_file_that_is_not_what_the_catalogue_names_is_never_loaded(
    tx: Transactions, store: BarsStore, root: Path, damage: str
) -> None:
    simulate_months(tx, store, ["ES"], MONTHS, actor="test", now=NOW)
    file, other = root / list_months(tx)[1].path, root / list_months(tx)[2].path
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "bytes flipped":
        changed = np.frombuffer(content, np.uint8).copy()
        changed[len(changed) // 3 : len(changed) // 3 + 64] ^= 255
        file.write_bytes(changed.tobytes())
    else:
        file.write_bytes(other.read_bytes())
    with pytest.raises(GantryError) as caught:
        load(tx, store)
    assert caught.value.code in {ErrorCode.DATA_UNAVAILABLE, ErrorCode.DATA_QUALITY_FAILED}
    assert "2023-12" in caught.value.message
