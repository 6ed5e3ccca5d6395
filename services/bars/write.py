"""Months of bars into the catalogue: judged, written as files, then made the ones in use, all or none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.ids import new_id
from core.trace import current_trace_id
from core.words import counted
from fleet.closed_sets import DataLabel, SystemEvent
from integrations.store import BarsStore
from services import events
from services.bars.coverage import month_span
from services.bars.decide import IncomingMonth, MonthPlan, MonthStatus, decide
from sql.engine import Transactions
from sql.queries.bars import accepted as accepted_queries
from sql.queries.bars import catalogue as queries
from sql.tables.bars import BarsMonth
from trading.bars.hashing import content_hash, contracts_hash
from trading.bars.months import BarsOfMonth
from trading.bars.quality import NONE_ACCEPTED, QualityReport, require_fit
from trading.bars.schema import NS_PER_SECOND, Bars
from trading.instruments import Instrument

Progress = Callable[[str, int, int], None]  # what, done, of how many
CAME_IN: Final = {
    DataLabel.SIMULATED: SystemEvent.BARS_SIMULATED,
    DataLabel.IMPORTED: SystemEvent.BARS_IMPORTED,
    DataLabel.VENDOR: SystemEvent.BARS_FETCHED,
}


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
class Incoming:
    """One month of bars on its way into the catalogue."""

    instrument: Instrument
    part: BarsOfMonth
    source: Source


@dataclass(frozen=True, slots=True, eq=False)
class _Planned:
    """A month judged fit, and the row that will be in use: None where the row that is there stays."""

    there: BarsMonth | None
    wanted: MonthPlan
    row: BarsMonth | None


def store_months(
    tx: Transactions,
    store: BarsStore,
    months: Sequence[Incoming],
    *,
    replace: bool,
    actor: str,
    now: datetime,
    progress: Progress,
) -> tuple[MonthReport, ...]:
    """Put months of bars in use, each added to what is there of the same provider: all of them, or none.

    All are judged before the first file is written, and no transaction is open meanwhile. The rows that make them
    count come last, in one transaction, and only if nobody else changed one of those months.

    Raises:
        GantryError: CONFLICT for bars that contradict those there, or for a month changed at the same time;
            DATA_QUALITY_FAILED for bars unfit for a backtest; ENVIRONMENT_INVALID for a folder that can't be written.

    """
    with tx() as session:
        known = [queries.active_month(session, one.instrument.symbol, one.part.month) for one in months]
        accepted = accepted_queries.accepted_sessions(session)
    planned = []
    for number, (one, there) in enumerate(zip(months, known, strict=True), start=1):
        taken = accepted.get(one.instrument.symbol, NONE_ACCEPTED)
        planned.append(_planned(store, one, there, taken, replace=replace, now=now))
        progress(f"Judging {one.instrument.symbol} {one.part.month}", number, 2 * len(months))
    for number, (one, plan) in enumerate(zip(months, planned, strict=True), start=1):
        _write(store, one, plan)
        progress(f"Writing {one.instrument.symbol} {one.part.month}", len(months) + number, 2 * len(months))
    with tx() as session:
        for plan in sorted(planned, key=_month_of):  # one order of locks for everybody
            if plan.row is not None:
                put_in_use(session, plan.row, plan.there, now=now)
                _publish(session, plan.row, plan.wanted.status, actor=actor)
        return tuple(_report(plan) for plan in planned)


def _planned(
    store: BarsStore,
    incoming: Incoming,
    there: BarsMonth | None,
    accepted: Mapping[str, str],
    *,
    replace: bool,
    now: datetime,
) -> _Planned:
    source, month = incoming.source, incoming.part.month
    asked = IncomingMonth(incoming.instrument, incoming.part.bars, source.provider, source.label, replace=replace)
    wanted = decide(store, there, asked)
    if wanted.status in {MonthStatus.ALREADY_THERE, MonthStatus.REPAIRED}:
        return _Planned(there, wanted, None)
    span = month_span(month, source.details, now)
    quality = require_fit(wanted.bars, incoming.instrument, span, accepted=accepted)
    digest = content_hash(wanted.bars, incoming.instrument)
    row = _row(wanted.bars, month, source, digest, quality, earlier=there if wanted.merged else None)
    return _Planned(there, wanted, row)


def _write(store: BarsStore, incoming: Incoming, plan: _Planned) -> None:
    month = incoming.part.month
    if plan.row is not None:
        plan.row.path = store.write(
            plan.wanted.bars, provider=plan.row.provider, month=month, content_hash=plan.row.content_hash
        )
    elif plan.there is not None and plan.wanted.status is MonthStatus.REPAIRED:
        store.write(plan.wanted.bars, provider=plan.there.provider, month=month, content_hash=plan.there.content_hash)


def put_in_use(session: Session, row: BarsMonth, there: BarsMonth | None, *, now: datetime) -> None:
    """Put a row in use in the place of the one that was seen there (a unit).

    Raises:
        GantryError: CONFLICT where another one is there now.

    """
    present = queries.active_month(session, row.symbol, row.month)
    if (present.id if present else None) != (there.id if there else None):
        raise GantryError(
            ErrorCode.CONFLICT,
            f"{row.symbol} {row.month} was changed by another process.",
            fix="Run the same command again.",
            kind=Kind.CONFLICT,
        )
    if present is not None:
        queries.supersede(session, present.id, row.id, now=now)
    session.add(row)
    session.flush()


def _row(
    bars: Bars, month: str, source: Source, digest: str, quality: QualityReport, *, earlier: BarsMonth | None
) -> BarsMonth:
    """Return the catalogue's row, but for the file's path. earlier: the row whose bars are among these."""
    details = dict(source.details)
    if earlier is not None:
        named = {
            "bars_id": str(earlier.id),
            "source_name": earlier.source_name,
            "source_sha256": earlier.source_sha256,
        }
        details["merged_with"] = [named, *earlier.source_details.get("merged_with", [])]
    return BarsMonth(
        id=new_id(),
        provider=source.provider,
        symbol=bars.symbol,
        month=month,
        data_label=source.label,
        content_hash=digest,
        contracts_hash=contracts_hash(bars),
        source_name=source.name,
        source_sha256=source.sha256,
        source_details=details,
        bars_count=len(bars),
        first_at=_at(int(bars.ts[0])),
        last_at=_at(int(bars.ts[-1])),
        contracts=list(bars.contracts),
        quality=quality.verdict.value,
        quality_report=quality.as_json(),
        trace_id=current_trace_id(),
    )


def _publish(session: Session, row: BarsMonth, status: MonthStatus, *, actor: str) -> None:
    events.note(
        session,
        CAME_IN[DataLabel(row.data_label)],
        f"{row.symbol} {row.month}: {counted(row.bars_count, 'bar')} from {row.source_name} ({status}).",
        actor=actor,
        payload={
            "bars_id": str(row.id),
            "content_hash": row.content_hash,
            "status": status.value,
            "quality": row.quality,
        },
    )


def _month_of(plan: _Planned) -> tuple[str, str]:
    row = _in_use(plan)
    return row.symbol, row.month


def _in_use(plan: _Planned) -> BarsMonth:
    row = plan.row or plan.there
    if row is None:
        message = "A plan makes a row or keeps one."
        raise AssertionError(message)
    return row


def _report(plan: _Planned) -> MonthReport:
    row = _in_use(plan)
    problems = row.quality_report.get("problems", [])
    complaint = " ".join(problem["message"] for problem in problems)
    return MonthReport(
        row.symbol, row.month, row.bars_count, row.content_hash, row.quality, plan.wanted.status, complaint
    )


def _at(ts: int) -> datetime:
    return datetime.fromtimestamp(ts // NS_PER_SECOND, UTC)
