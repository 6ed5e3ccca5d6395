"""What is missing of the bars in use: months between the first and the last, sessions, and minutes within sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sql.engine import Transactions
from sql.queries.bars import catalogue as queries
from sql.tables.bars import BarsMonth
from trading.instruments import get_instrument
from trading.months import months_between


@dataclass(frozen=True, slots=True)
class MonthGaps:
    """One month in use. coverage: share of the calendar's minutes that have a bar. gaps: sentences, longest first."""

    month: str
    data_label: str
    bars_count: int
    coverage: float
    sessions_missing: tuple[str, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SymbolGaps:
    """One symbol: its first and last month, the months that are missing between them, and what each month lacks."""

    symbol: str
    first: str
    last: str
    months_missing: tuple[str, ...]
    months: tuple[MonthGaps, ...]


def gap_report(tx: Transactions, *, symbol: str | None = None) -> tuple[SymbolGaps, ...]:
    """Return what is missing, as the catalogue knows it, by symbol (a flow).

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol.

    """
    if symbol is not None:
        get_instrument(symbol)
    with tx() as session:
        rows = queries.active_months(session, symbol=symbol)
    return tuple(_of(name, list(group)) for name, group in groupby(rows, key=lambda row: row.symbol))


def _of(symbol: str, rows: Sequence[BarsMonth]) -> SymbolGaps:
    there = {row.month for row in rows}
    first, last = rows[0].month, rows[-1].month
    missing = tuple(month for month in months_between(first, last) if month not in there)
    return SymbolGaps(symbol, first, last, missing, tuple(_month(row) for row in rows))


def _month(row: BarsMonth) -> MonthGaps:
    report = row.quality_report
    gaps = sorted(report.get("gaps", []), key=lambda gap: -int(gap["minutes"]))
    return MonthGaps(
        row.month,
        row.data_label,
        row.bars_count,
        float(report.get("coverage", 0.0)),
        tuple(report.get("sessions_missing", [])),
        tuple(f"{gap['minutes']} minutes from {gap['start']}" for gap in gaps),
    )
