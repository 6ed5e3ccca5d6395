"""Import files of bars."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import ErrorCode, GantryError, invalid
from fleet.closed_sets import SystemEvent
from fleet.grading_bars import MIN_SESSIONS
from integrations.files.reader import read_options
from integrations.files.types import FileBars, LeftOut
from integrations.registry import FILES, SIMULATOR
from integrations.store import BarsStore
from services import events
from services.bars.caveats import graded_on
from services.bars.files.quarantine import put_aside
from services.bars.files.read_file import label_of, likely, notes_on, read_file
from services.bars.simulate import no_progress
from services.bars.write import Incoming, MonthReport, Progress, Source, store_months
from sql.engine import Transactions
from trading.bars.months import BarsOfMonth, split_months
from trading.day_session import Hours, instrument_of

_PROVIDER_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")  # it becomes a folder's name


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, month by month.

    bars_count: bars in the file that were read. notes: sentences on the file, such as which rows were left out.
    """

    source_name: str
    source_sha256: str
    bars_count: int
    months: tuple[MonthReport, ...]
    hours: Hours
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def import_file(  # noqa: PLR0913 - one keyword for each option of the command
    tx: Transactions,
    store: BarsStore,
    path: Path,
    *,
    symbol: str | None = None,
    provider: str = FILES,
    tz: str | None = None,
    epoch_tz: str | None = None,
    stamp: str = "open",
    hours: str = "all",
    replace: bool = False,
    actor: str,
    now: datetime,
    progress: Progress = no_progress,
    min_sessions: int = MIN_SESSIONS,
) -> ImportReport:
    """Import a file of one-minute bars, whole or not at all; the same file again changes nothing.

    min_sessions: of real bars, from which on bots are graded on them; the report says where there are fewer.

    A file of bars that may not be used is put aside under quarantine/ and reported as BARS_BLOCKED.

    Raises:
        GantryError: see `services.bars.files.read_file.read_file` and `services.bars.write.store_months`.

    """
    _require_provider(provider)
    options = read_options(symbol=symbol, tz=tz, epoch_tz=epoch_tz, stamp=stamp, hours=hours)
    progress(f"Reading {path.name}", 0, 1)
    try:
        found = read_file(path, options)
        months = [_incoming(one, part, provider) for one in found for part in split_months(one.bars)]
        try:
            reports = store_months(tx, store, months, replace=replace, actor=actor, now=now, progress=progress)
        except GantryError as error:
            raise likely(found, error) from error
    except GantryError as error:
        if error.code is not ErrorCode.DATA_QUALITY_FAILED:
            raise
        raise _refused(tx, store, path, error, actor=actor) from error
    first = found[0]
    count = sum(len(one.bars) for one in found)
    few = [graded_on(tx, one.bars.symbol, min_sessions) for one in found]
    notes = (*notes_on(found), *(note for note in few if note is not None))
    return ImportReport(first.source_name, first.source_sha256, count, reports, first.hours, first.left_out, notes)


def _incoming(one: FileBars, part: BarsOfMonth, provider: str) -> Incoming:
    source = Source(provider, label_of(one), one.source_name, one.source_sha256, one.source_details)
    return Incoming(instrument_of(one.bars.symbol, one.hours), part, source)


def _require_provider(provider: str) -> None:
    if provider == SIMULATOR:
        raise invalid(
            "A file can't come from the simulator.", fix="Omit --provider, or give the vendor.", field="provider"
        )
    if not _PROVIDER_NAME.fullmatch(provider):
        raise invalid(
            f"{provider!r} is not a valid provider name.",
            fix="Use 1 to 32 lower-case letters, digits and underscores, a letter first, such as databento.",
            field="provider",
        )


def _refused(tx: Transactions, store: BarsStore, path: Path, error: GantryError, *, actor: str) -> GantryError:
    """Put the refused file aside, note the event, and return the error that says where the file is."""
    aside = put_aside(store, path.read_bytes(), error, name=path.name)
    with tx() as session:
        events.note(
            session,
            SystemEvent.BARS_BLOCKED,
            f"{path.name} was not imported: {error.message}",
            actor=actor,
            payload={
                "source_sha256": aside.sha256,
                "put_aside": aside.path,
                "facts": json.loads(json.dumps(error.facts, default=str)),
            },
        )
    return GantryError(
        error.code,
        error.message if error.message.startswith(path.name) else f"{path.name} was not imported: {error.message}",
        fix=f"{error.fix} The file was put aside as {aside.path}.",
        kind=error.kind,
        facts={**error.facts, "put_aside": aside.path},
        details=error.details,
    )
