"""Bars out of the catalogue into one file, which says of each row how its numbers came to be."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from core.errors import ErrorCode, GantryError, Kind, invalid
from fleet.closed_sets import DataLabel
from integrations.store import BarsStore
from services.bars.load import LoadedBars, load_bars
from sql.engine import Transactions
from trading.bars.schema import Timeframe


class ExportFormat(StrEnum):
    """Forms a file of bars may take."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written. bars_hash: content hash of the bars in it; importing the file again gives the same."""

    path: Path
    symbol: str
    label: DataLabel
    months: tuple[str, ...]
    bars_count: int
    bars_hash: str


def export_bars(
    tx: Transactions,
    store: BarsStore,
    symbol: str,
    *,
    start: str | None = None,
    end: str | None = None,
    path: Path,
    fmt: ExportFormat | None = None,
    timeframe: Timeframe = Timeframe.M1,
) -> ExportReport:
    """Write a symbol's bars to a file: ts (UTC open), open, high, low, close, volume, contract, symbol, data_label.

    fmt: by the path's ending where None. The file appears under its name only when it is complete.

    Raises:
        GantryError: VALIDATION_FAILED for an ending that says no format, CONFLICT for a file that exists,
            ENVIRONMENT_INVALID for one that can't be written; and what `load_bars` raises.

    """
    chosen = fmt or _format_of(path)
    if path.exists():
        raise GantryError(
            ErrorCode.CONFLICT,
            f"{path} exists.",
            fix="Give another file name, or remove that file.",
            kind=Kind.CONFLICT,
        )
    loaded = load_bars(tx, store, symbol, timeframe=timeframe, start=start, end=end)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        _write(_table(loaded), temporary, chosen)
        temporary.rename(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            f"{path} can't be written: {reason}.",
            fix="Use a folder that exists, has space and that this user may write to.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    months = tuple(ref.month for ref in loaded.catalogue)
    return ExportReport(path, symbol, loaded.label, months, len(loaded.bars), loaded.bars_hash)


def _format_of(path: Path) -> ExportFormat:
    ending = path.suffix.removeprefix(".").lower()
    if ending not in set(ExportFormat):
        raise invalid(f"{path.name} has no known extension.", fix="End it with .csv or .parquet.", field="path")
    return ExportFormat(ending)


def _table(loaded: LoadedBars) -> pa.Table:
    bars = loaded.bars
    names = pa.DictionaryArray.from_arrays(pa.array(bars.contract, pa.int32()), pa.array(bars.contracts, pa.string()))
    return pa.table(
        {
            "ts": pa.array(bars.ts.astype("datetime64[ns]"), pa.timestamp("ns", tz="UTC")),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
            "contract": names,
            "symbol": pa.repeat(bars.symbol, len(bars)),
            "data_label": pa.repeat(loaded.label.value, len(bars)),
        }
    )


def _write(table: pa.Table, path: Path, fmt: ExportFormat) -> None:
    if fmt is ExportFormat.PARQUET:
        pq.write_table(table, path, compression="zstd")
        return
    stamps = pa.array([f"{text}Z" for text in table["ts"].to_numpy().astype("datetime64[s]").astype(str)])
    plain = table.set_column(0, "ts", stamps)
    named = plain.set_column(6, "contract", plain["contract"].cast(pa.string()))
    pa_csv.write_csv(named, path, pa_csv.WriteOptions(quoting_style="none"))
