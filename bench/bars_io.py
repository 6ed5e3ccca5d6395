"""Bars in and out: a symbol-year from Parquet, the same as CSV, its writing, and a month of DBN parsed.

Ratios compare with pandas on the same machine in the same run: its CSV reader, its Parquet reader and writer.
"""

import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import pandas as pd

from bench.table import Row, print_table
from integrations.files.reader import read_bars_file
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from tests.factories.bars_files import dbn_of, packed
from trading.bars.hashing import content_hash
from trading.bars.months import concatenate
from trading.bars.schema import Bars
from trading.instruments import get_instrument

SYMBOL = "ES"
YEAR = 2023
READ_TARGET_MS = 8.0
ROUNDS = 40
WARM_UP = 5  # rounds before: a worker's threads have their memory


def run() -> list[Row]:
    """Measure on a year of simulated one-minute ES bars, about 350,000, in twelve files."""
    instrument = get_instrument(SYMBOL)
    months = [simulate_month(instrument, f"{YEAR}-{number:02d}", 1) for number in range(1, 13)]
    with tempfile.TemporaryDirectory() as folder:
        store = BarsStore(folder)
        paths = _written(store, months)
        size = sum((Path(folder) / path).stat().st_size for path in paths)
        text = _csv_of(concatenate(months))
        files = [str(Path(folder) / path) for path in paths]
        read = _milliseconds(lambda: store.read(paths))
        with_pandas = _milliseconds(lambda: pd.concat([pd.read_parquet(path) for path in files]))
        from_csv = _milliseconds(lambda: pd.read_csv(io.BytesIO(text), parse_dates=["ts"]), rounds=3)
        write = _milliseconds(lambda: _written(store, months), rounds=5)
        write_pandas = _milliseconds(lambda: _written_by_pandas(Path(folder), months), rounds=5)
        bars = store.read(paths)
        dbn = Path(folder) / "month.dbn.zst"
        dbn.write_bytes(packed(dbn_of(months[0], {"ESH3": [("2023-01-01", "2023-02-01", 1)]})))
        parse = _milliseconds(lambda: read_bars_file(dbn, symbol=SYMBOL), rounds=5)
        hashed = _milliseconds(lambda: content_hash(bars, instrument), rounds=5)
    count = len(bars)
    return [
        Row(f"read {count:,} bars of 12 months, Parquet", f"{read:.1f} ms", with_pandas / read,
            f"{READ_TARGET_MS:.0f} ms a symbol-year (ratio: pandas read_parquet)", read <= READ_TARGET_MS),
        Row("the same as CSV, by pandas", f"{from_csv:.0f} ms", from_csv / read, "(ratio: to our Parquet)", None),
        Row("write the same, hashed and fsynced", f"{write:.0f} ms, {size / 1e6:.1f} MB", write_pandas / write,
            "(ratio: pandas to_parquet, not fsynced)", None),
        Row("content hash of the same", f"{hashed:.1f} ms", None, "", None),
        Row(f"parse {len(months[0]):,} bars of DBN, checked", f"{parse:.1f} ms", None, "", None),
    ]  # fmt: skip


def _milliseconds(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Time of the work in a warm process, milliseconds: the shortest of some rounds, as the engine is timed."""
    for _ in range(min(WARM_UP, rounds)):
        work()
    times = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        times.append((perf_counter() - start) * 1e3)
    return min(times)


def _written(store: BarsStore, months: Sequence[Bars]) -> list[str]:
    instrument = get_instrument(SYMBOL)
    return [
        store.write(bars, provider="bench", month=f"{YEAR}-{number:02d}", content_hash=content_hash(bars, instrument))
        for number, bars in enumerate(months, start=1)
    ]


def _frame(bars: Bars) -> pd.DataFrame:
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    return pd.DataFrame({"ts": pd.to_datetime(bars.ts, utc=True), **columns})


def _written_by_pandas(folder: Path, months: Sequence[Bars]) -> None:
    for number, bars in enumerate(months, start=1):
        _frame(bars).to_parquet(folder / f"pandas-{number:02d}.parquet", compression="zstd", index=False)


def _csv_of(bars: Bars) -> bytes:
    return _frame(bars).to_csv(index=False).encode()


if __name__ == "__main__":
    print_table("bars_io", run())
