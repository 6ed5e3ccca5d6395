"""Bars: import files, simulate months, list, check and export them. What a backtest reads is in `bars_load`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import GantryError, bad_data, invalid
from core.settings import Settings
from fleet.closed_sets import DataLabel
from integrations.files.reader import read_bars_file
from integrations.simulator.months import SIMULATOR_VERSION, simulate_month
from integrations.store import BarsStore
from services.bars_load import CatalogueRef, LoadedBars, load_bars
from services.bars_write import MonthReport, MonthStatus, Source, store_month
from sql.engine import Transactions
from sql.queries import bars as queries
from sql.tables.bars import BarsMonth
from trading.bars.hashing import content_hash
from trading.bars.months import split_months
from trading.bars.quality import Verdict, assess
from trading.bars.schema import Bars
from trading.instruments import get_instrument

__all__ = [
    "CatalogueRef",
    "CheckedMonth",
    "ImportReport",
    "LoadedBars",
    "MonthReport",
    "MonthStatus",
    "check",
    "ensure_data",
    "import_file",
    "list_months",
    "load_bars",
    "simulate",
]

Progress = Callable[[str, int, int], None]  # what, done, of how many
SIMULATOR = "simulator"
FIRST_START_SYMBOLS = ("ES", "NQ", "CL", "GC", "6E")
FIRST_START_MONTHS = 3
DEFAULT_SEED = 7


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, month by month. bars_count: bars in the file."""

    source_name: str
    source_sha256: str
    bars_count: int
    months: tuple[MonthReport, ...]


@dataclass(frozen=True, slots=True)
class CheckedMonth:
    """One month read again from its file: whether it still holds what the catalogue says, and its quality now."""

    symbol: str
    month: str
    provider: str
    label: str
    bars_count: int
    hash_holds: bool
    quality: str
    message: str


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


def import_file(  # noqa: PLR0913 - one keyword for each option of the command
    tx: Transactions,
    store: BarsStore,
    path: Path,
    *,
    symbol: str | None = None,
    provider: str = "files",
    tz: str | None = None,
    stamp: str = "open",
    replace: bool = False,
    actor: str,
    now: datetime,
    progress: Progress = no_progress,
) -> ImportReport:
    """Import a file of one-minute bars; the same file again changes nothing.

    Every month is judged before the first is written: one bad month refuses the file, and puts it aside.

    Raises:
        GantryError: see `integrations.files.reader.read_bars_file` and `services.bars_write.store_month`.

    """
    if provider == SIMULATOR:
        raise invalid("A file is no simulator.", fix="Leave --provider out, or name the vendor.", field="provider")
    progress(f"Reading {path.name}", 0, 1)
    found = read_bars_file(path, symbol=symbol, tz=tz, stamp=stamp)
    parts = [(one, part) for one in found for part in split_months(one.bars)]
    _refuse_unfit(store, path, [part.bars for _one, part in parts], found[0].source_sha256)
    reports = []
    for number, (one, part) in enumerate(parts, start=1):
        source = Source(provider, DataLabel.IMPORTED, one.source_name, one.source_sha256, one.source_details)
        instrument = get_instrument(part.bars.symbol)
        reports.append(store_month(tx, store, instrument, part, source, replace=replace, actor=actor, now=now))
        progress(f"{part.bars.symbol} {part.month}", number, len(parts))
    count = sum(len(one.bars) for one in found)
    return ImportReport(found[0].source_name, found[0].source_sha256, count, tuple(reports))


def simulate(
    tx: Transactions,
    store: BarsStore,
    symbols: Sequence[str],
    months: Sequence[str],
    *,
    seed: int = DEFAULT_SEED,
    actor: str,
    now: datetime,
    progress: Progress = no_progress,
) -> tuple[MonthReport, ...]:
    """Make months of SIMULATED bars ("YYYY-MM"); months with real bars are left as they are."""
    reports = []
    wanted = [(get_instrument(symbol), month) for symbol in symbols for month in months]
    with tx() as session:
        real = {
            (row.symbol, row.month) for row in queries.active_months(session) if row.data_label != DataLabel.SIMULATED
        }
    for number, (instrument, month) in enumerate(wanted, start=1):
        if (instrument.symbol, month) not in real:
            bars = simulate_month(instrument, month, seed)
            details = {"seed": seed, "simulator_version": SIMULATOR_VERSION}
            name = f"{SIMULATOR}:{instrument.symbol}:{month}:seed={seed}"
            source = Source(SIMULATOR, DataLabel.SIMULATED, name, None, details)
            (part,) = split_months(bars)
            reports.append(store_month(tx, store, instrument, part, source, replace=True, actor=actor, now=now))
        progress(f"Simulating {instrument.symbol} {month}", number, len(wanted))
    return tuple(reports)


def list_months(tx: Transactions, *, symbol: str | None = None) -> Sequence[BarsMonth]:
    """Return the months in use, by symbol and month."""
    with tx() as session:
        return queries.active_months(session, symbol=symbol)


def check(
    tx: Transactions, store: BarsStore, *, symbol: str | None = None, progress: Progress = no_progress
) -> tuple[CheckedMonth, ...]:
    """Read every month in use again, and compare hash and quality with the catalogue."""
    rows = list_months(tx, symbol=symbol)
    checked = []
    for number, row in enumerate(rows, start=1):
        checked.append(_checked(store, row))
        progress(f"{row.symbol} {row.month}", number, len(rows))
    return tuple(checked)


def ensure_data(
    tx: Transactions, store: BarsStore, settings: Settings, *, now: datetime, progress: Progress = no_progress
) -> str | None:
    """Give a first start bars: without vendor key and without any bars, simulated ones; return what to tell.

    None where there are bars already, or a provider that supplies them.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown GANTRY_DATA_PROVIDER.

    """
    chosen = settings.gantry_data_provider
    if chosen not in {None, SIMULATOR, "files", "databento", "polygon"}:
        raise invalid(
            f"Unknown GANTRY_DATA_PROVIDER {chosen!r}.",
            fix="Use databento, polygon, files or simulator, or leave it unset.",
            field="GANTRY_DATA_PROVIDER",
        )
    vendor = settings.databento_api_key or settings.polygon_api_key
    with tx() as session:
        any_bars = queries.has_any_month(session)
    if any_bars or chosen not in {None, SIMULATOR} or (vendor and chosen is None):
        return None
    months = months_before(now, FIRST_START_MONTHS)
    simulate(tx, store, FIRST_START_SYMBOLS, months, actor="first start", now=now, progress=progress)
    return (
        f"No provider of bars is configured: made SIMULATED bars of {', '.join(FIRST_START_SYMBOLS)} for "
        f"{months[0]} to {months[-1]}. Every number that rests on them says SIMULATED. Import real ones with "
        "`gantry bars import FILE`."
    )


def months_before(now: datetime, count: int) -> tuple[str, ...]:
    """Return the last `count` full months before `now`, oldest first."""
    index = now.year * 12 + now.month - 1
    return tuple(f"{(index - back) // 12:04d}-{(index - back) % 12 + 1:02d}" for back in range(count, 0, -1))


def _checked(store: BarsStore, row: BarsMonth) -> CheckedMonth:
    holds, quality, instrument = False, Verdict.BLOCKED, get_instrument(row.symbol)
    try:
        bars = store.read([row.path])
        holds = content_hash(bars, instrument) == row.content_hash
        report = assess(bars, instrument)
        quality = report.verdict
        message = report.sentence() if holds else "The file was changed: its content hash differs from the catalogue's."
    except GantryError as error:
        message = error.message
    return CheckedMonth(
        row.symbol, row.month, row.provider, row.data_label, row.bars_count, holds, quality.value, message
    )


def _refuse_unfit(store: BarsStore, path: Path, months: Sequence[Bars], sha256: str) -> None:
    """Judge all months first, so that a file is imported whole or not at all."""
    for bars in months:
        report = assess(bars, get_instrument(bars.symbol))
        if report.verdict is Verdict.BLOCKED:
            aside = store.put_aside(f"{sha256[:16]}.{path.name}", path.read_bytes())
            store.put_aside(f"{sha256[:16]}.{path.name}.json", json.dumps(report.as_json(), indent=2).encode())
            worst = report.problems[0]
            raise bad_data(
                f"{path.name} was not imported: {worst.message}",
                fix=f"{worst.fix} The file was put aside as {aside}.",
                facts={"problems": [problem.code.value for problem in report.problems], "put_aside": aside},
            )
