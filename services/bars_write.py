"""One symbol-month into the catalogue: judged, written as a file, then made the one in use."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import DataLabel, SystemEvent
from integrations.store import BarsStore
from services import events
from sql.engine import Transactions
from sql.queries import bars as queries
from sql.tables.bars import BarsMonth
from trading.bars.hashing import content_hash, contracts_hash
from trading.bars.merge import merge
from trading.bars.months import BarsOfMonth
from trading.bars.quality import QualityReport, require_fit
from trading.bars.schema import Bars
from trading.instruments import Instrument


class MonthStatus(StrEnum):
    """What an import did to a month."""

    NEW = "NEW"
    ALREADY_THERE = "ALREADY_THERE"
    MERGED = "MERGED"
    REPLACED = "REPLACED"


@dataclass(frozen=True, slots=True)
class MonthReport:
    """One month after an import; bars_count, hash and quality are of the whole month as it is in use now."""

    symbol: str
    month: str
    bars_count: int
    content_hash: str
    quality: str
    status: MonthStatus
    complaint: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where bars come from: provider, label, and the file's name, SHA-256 (None for made bars) and details."""

    provider: str
    label: DataLabel
    name: str
    sha256: str | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """A month as it should be, and what that means for the one in use."""

    bars: Bars
    status: MonthStatus


def store_month(
    tx: Transactions,
    store: BarsStore,
    instrument: Instrument,
    part: BarsOfMonth,
    source: Source,
    *,
    replace: bool,
    actor: str,
    now: datetime,
) -> MonthReport:
    """Put a month of bars in use, added to what is there of the same provider.

    The file is written first, with no transaction open; the row that makes it count comes last, and only if nobody
    else changed the month meanwhile.

    Raises:
        GantryError: CONFLICT for bars that contradict those there, or for a month changed at the same time;
            DATA_QUALITY_FAILED for bars unfit for a backtest, which are put aside.

    """
    with tx() as session:
        there = queries.active_month(session, instrument.symbol, part.month)
    wanted = _wanted(store, instrument, part, source, there, replace=replace)
    if wanted.status is MonthStatus.ALREADY_THERE and there is not None:
        return _report(there, MonthStatus.ALREADY_THERE)
    try:
        quality = require_fit(wanted.bars, instrument)
    except GantryError as error:
        _tell_blocked(tx, part, source, error, actor=actor)
        raise
    digest = content_hash(wanted.bars, instrument)
    path = store.write(wanted.bars, provider=source.provider, month=part.month, content_hash=digest)
    row = _row(wanted.bars, part.month, source, path, digest, quality, merged=wanted.status is MonthStatus.MERGED)
    with tx() as session:
        _put_in_use(session, row, there, now=now)
        told = SystemEvent.BARS_SIMULATED if source.label is DataLabel.SIMULATED else SystemEvent.BARS_IMPORTED
        events.note(
            session,
            told,
            f"{row.symbol} {row.month}: {row.bars_count:,} bars from {source.name} ({wanted.status}).",
            actor=actor,
            payload={"bars_id": str(row.id), "content_hash": digest, "status": wanted.status, "quality": row.quality},
        )
        return _report(row, wanted.status)


def _wanted(
    store: BarsStore,
    instrument: Instrument,
    part: BarsOfMonth,
    source: Source,
    there: BarsMonth | None,
    *,
    replace: bool,
) -> _Wanted:
    if there is None:
        return _Wanted(part.bars, MonthStatus.NEW)
    if there.content_hash == content_hash(part.bars, instrument) and there.data_label == source.label:
        names_added = there.contracts == [""] and part.bars.contracts != ("",)
        status = MonthStatus.REPLACED if names_added else MonthStatus.ALREADY_THERE
        return _Wanted(part.bars, status)
    if (there.data_label == DataLabel.SIMULATED) or (replace and there.provider != source.provider):
        return _Wanted(part.bars, MonthStatus.REPLACED)
    merged = merge(store.read([there.path]), part.bars, instrument, replace=replace)
    if not merged.added and not merged.replaced:
        return _Wanted(merged.bars, MonthStatus.ALREADY_THERE)
    status = MonthStatus.REPLACED if merged.replaced else MonthStatus.MERGED
    return _Wanted(merged.bars, status)


def _put_in_use(session: Session, row: BarsMonth, there: BarsMonth | None, *, now: datetime) -> None:
    present = queries.active_month(session, row.symbol, row.month)
    if (present.id if present else None) != (there.id if there else None):
        raise GantryError(
            ErrorCode.CONFLICT,
            f"{row.symbol} {row.month} was changed by somebody else meanwhile.",
            fix="Run the same import again.",
        )
    if present is not None:
        queries.supersede(session, present.id, row.id, now=now)
    session.add(row)
    session.flush()


def _row(
    bars: Bars, month: str, source: Source, path: str, digest: str, quality: QualityReport, *, merged: bool
) -> BarsMonth:
    return BarsMonth(
        id=new_id(),
        provider=source.provider,
        symbol=bars.symbol,
        month=month,
        data_label=source.label,
        path=path,
        content_hash=digest,
        contracts_hash=contracts_hash(bars),
        source_name=source.name,
        source_sha256=source.sha256,
        source_details={**source.details, **({"merged_into_earlier_bars": True} if merged else {})},
        bars_count=len(bars),
        first_at=_at(int(bars.ts[0])),
        last_at=_at(int(bars.ts[-1])),
        contracts=list(bars.contracts),
        quality=quality.verdict.value,
        quality_report=quality.as_json(),
        trace_id=current_trace_id(),
    )


def _tell_blocked(tx: Transactions, part: BarsOfMonth, source: Source, error: GantryError, *, actor: str) -> None:
    with tx() as session:
        events.note(
            session,
            SystemEvent.BARS_BLOCKED,
            f"{part.bars.symbol} {part.month} from {source.name} was refused: {error.message}",
            actor=actor,
            payload={"source_sha256": source.sha256, **error.facts},
        )


def _report(row: BarsMonth, status: MonthStatus) -> MonthReport:
    problems = row.quality_report.get("problems", [])
    complaint = " ".join(problem["message"] for problem in problems)
    return MonthReport(row.symbol, row.month, row.bars_count, row.content_hash, row.quality, status, complaint)


def _at(ts: int) -> datetime:
    return datetime.fromtimestamp(ts // 1_000_000_000, UTC)
