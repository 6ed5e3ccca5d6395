"""Bars: import files, simulate months, list them, and give a first start some.

What a backtest reads is in `bars_load`; the flows `check` and `export` are in modules of their name.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import ErrorCode, GantryError, invalid
from core.settings import AppEnv, Settings
from fleet.closed_sets import DataLabel, SystemEvent
from integrations.files.reader import read_bars_file
from integrations.files.types import FileBars
from integrations.simulator.months import SIMULATOR_VERSION, simulate_month
from integrations.store import BarsStore
from services import events
from services.bars_check import CheckedMonth, check
from services.bars_decide import MonthStatus
from services.bars_export import ExportReport, export
from services.bars_load import CatalogueRef, LoadedBars, load_bars
from services.bars_write import Incoming, MonthReport, Progress, Source, store_months
from sql.engine import Transactions
from sql.queries import bars as queries
from sql.tables.bars import BarsMonth
from trading.bars.months import split_months
from trading.instruments import Instrument, get_instrument

__all__ = [
    "CatalogueRef",
    "CheckedMonth",
    "ExportReport",
    "ImportReport",
    "LoadedBars",
    "MonthReport",
    "MonthStatus",
    "Progress",
    "check",
    "ensure_data",
    "ensure_simulated",
    "export",
    "import_file",
    "list_months",
    "load_bars",
    "simulate",
]

SIMULATOR = "simulator"
FIRST_START_SYMBOLS = ("ES", "NQ", "CL", "GC", "6E")
FIRST_START_MONTHS = 3
DEFAULT_SEED = 7
_PROVIDER_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")  # it becomes a folder's name


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, month by month. bars_count: bars in the file."""

    source_name: str
    source_sha256: str
    bars_count: int
    months: tuple[MonthReport, ...]


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
    """Import a file of one-minute bars, whole or not at all; the same file again changes nothing.

    A file of bars that may not be used is put aside under quarantine/, and told of as BARS_BLOCKED.

    Raises:
        GantryError: see `integrations.files.reader.read_bars_file` and `services.bars_write.store_months`.

    """
    _require_provider(provider)
    progress(f"Reading {path.name}", 0, 1)
    try:
        found = read_bars_file(path, symbol=symbol, tz=tz, stamp=stamp)
        months = [
            Incoming(
                get_instrument(one.bars.symbol),
                part,
                Source(provider, _label_of(one), one.source_name, one.source_sha256, one.source_details),
            )
            for one in found
            for part in split_months(one.bars)
        ]
        reports = store_months(tx, store, months, replace=replace, actor=actor, now=now, progress=progress)
    except GantryError as error:
        if error.code is not ErrorCode.DATA_QUALITY_FAILED:
            raise
        raise _put_aside(tx, store, path, error, actor=actor) from error
    count = sum(len(one.bars) for one in found)
    return ImportReport(found[0].source_name, found[0].source_sha256, count, reports)


def _label_of(one: FileBars) -> DataLabel:
    """Exported simulated bars stay SIMULATED in every catalogue they come to."""
    simulated = one.source_details.get("data_label") == DataLabel.SIMULATED
    return DataLabel.SIMULATED if simulated else DataLabel.IMPORTED


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
    wanted = [(get_instrument(symbol), month) for symbol in symbols for month in months]
    with tx() as session:
        real = {
            (row.symbol, row.month) for row in queries.active_months(session) if row.data_label != DataLabel.SIMULATED
        }
    made = []
    for number, (instrument, month) in enumerate(wanted, start=1):
        if (instrument.symbol, month) not in real:
            made.append(_made(instrument, month, seed))
        progress(f"Simulating {instrument.symbol} {month}", number, len(wanted))
    return store_months(tx, store, made, replace=True, actor=actor, now=now, progress=progress)


def ensure_simulated(tx: Transactions, store: BarsStore, symbol: str, *, actor: str, now: datetime) -> bool:
    """Give a symbol without any bars as many simulated months as a first start has; return whether it needed them."""
    with tx() as session:
        if queries.active_months(session, symbol=symbol):
            return False
    try:
        simulate(tx, store, [symbol], months_before(now, FIRST_START_MONTHS), actor=actor, now=now)
    except GantryError as error:
        if error.code is not ErrorCode.CONFLICT:
            raise  # else another worker made the same months meanwhile
    return True


def list_months(tx: Transactions, *, symbol: str | None = None) -> Sequence[BarsMonth]:
    """Return the months in use, by symbol and month."""
    with tx() as session:
        return queries.active_months(session, symbol=symbol)


def ensure_data(
    tx: Transactions, store: BarsStore, settings: Settings, *, now: datetime, progress: Progress = no_progress
) -> str | None:
    """Give a first start bars: without vendor key and without any bars, simulated ones; return what to tell.

    None where there are bars already, or a provider that supplies them, and in production always.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown GANTRY_DATA_PROVIDER, ENVIRONMENT_INVALID for the simulator in
            production.

    """
    chosen = settings.gantry_data_provider
    if chosen not in {None, SIMULATOR, "files", "databento", "polygon"}:
        raise invalid(
            f"Unknown GANTRY_DATA_PROVIDER {chosen!r}.",
            fix="Use databento, polygon, files or simulator, or leave it unset.",
            field="GANTRY_DATA_PROVIDER",
        )
    if settings.app_env is AppEnv.PRODUCTION:
        _refuse_simulator(chosen)
        return None
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


def _made(instrument: Instrument, month: str, seed: int) -> Incoming:
    (part,) = split_months(simulate_month(instrument, month, seed))
    details = {"seed": seed, "simulator_version": SIMULATOR_VERSION}
    name = f"{SIMULATOR}:{instrument.symbol}:{month}:seed={seed}"
    return Incoming(instrument, part, Source(SIMULATOR, DataLabel.SIMULATED, name, None, details))


def _require_provider(provider: str) -> None:
    if provider == SIMULATOR:
        raise invalid("A file is no simulator.", fix="Leave --provider out, or name the vendor.", field="provider")
    if not _PROVIDER_NAME.fullmatch(provider):
        raise invalid(
            f"{provider!r} can't be a provider's name.",
            fix="Use 1 to 32 small letters, digits and underscores, a letter first, such as databento.",
            field="provider",
        )


def _refuse_simulator(chosen: str | None) -> None:
    if chosen == SIMULATOR:
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            "Production never runs on simulated bars.",
            fix="Set GANTRY_DATA_PROVIDER to databento, polygon or files.",
        )


def _put_aside(tx: Transactions, store: BarsStore, path: Path, error: GantryError, *, actor: str) -> GantryError:
    """Keep the refused file and what is wrong with it, tell of it, and return the error that says where it is."""
    payload = path.read_bytes()
    sha256 = hashlib.sha256(payload).hexdigest()
    aside = store.put_aside(f"{sha256[:16]}.{path.name}", payload)
    told = {"source_name": path.name, "source_sha256": sha256, "message": error.message, "facts": error.facts}
    store.put_aside(f"{sha256[:16]}.{path.name}.json", json.dumps(told, indent=2, default=str).encode())
    with tx() as session:
        events.note(
            session,
            SystemEvent.BARS_BLOCKED,
            f"{path.name} was not imported: {error.message}",
            actor=actor,
            payload={
                "source_sha256": sha256,
                "put_aside": aside,
                "facts": json.loads(json.dumps(error.facts, default=str)),
            },
        )
    return GantryError(
        error.code,
        error.message if error.message.startswith(path.name) else f"{path.name} was not imported: {error.message}",
        fix=f"{error.fix} The file was put aside as {aside}.",
        kind=error.kind,
        facts={**error.facts, "put_aside": aside},
        details=error.details,
    )
