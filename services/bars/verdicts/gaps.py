"""What is missing of the bars in use: months between the first and the last, sessions, and minutes within sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise

import numpy as np

from services.bars.coverage import judged_span, month_span
from sql.engine import Transactions
from sql.queries.bars import catalogue as queries
from sql.tables.bars import BarsMonth
from trading.bars.holes import Hole, holes_between
from trading.bars.quality_types import ProblemCode, SessionAccepted, SessionAside
from trading.bars.schema import NS_PER_SECOND
from trading.day_session import hours_of, instrument_of
from trading.instruments import get_instrument
from trading.months import months_between
from trading.sessions import expected_minutes, session_of, sessions_closed


@dataclass(frozen=True, slots=True)
class MonthGaps:
    """One month in use. coverage: share of the calendar's minutes that have a bar. gaps: sentences, longest first.

    sessions_aside: left out, as a missing session is. sessions_accepted: they fail, and are used all the same.
    known_halts: sessions in which the exchange itself stood still.
    """

    month: str
    data_label: str
    bars_count: int
    coverage: float
    sessions_missing: tuple[str, ...]
    sessions_aside: tuple[SessionAside, ...]
    sessions_accepted: tuple[SessionAccepted, ...]
    known_halts: tuple[str, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SymbolGaps:
    """One symbol: its first and last month, the months that are missing between them, and what each month lacks.

    holes: sessions without a bar from one month in use to the next, the missing months' among them.
    """

    symbol: str
    first: str
    last: str
    months_missing: tuple[str, ...]
    holes: tuple[Hole, ...]
    months: tuple[MonthGaps, ...]


def gap_report(tx: Transactions, now: datetime, *, symbol: str | None = None) -> tuple[SymbolGaps, ...]:
    """Return what is missing up to now, as the catalogue knows it, by symbol (a flow).

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol.

    """
    if symbol is not None:
        get_instrument(symbol)
    with tx() as session:
        rows = queries.active_months(session, symbol=symbol)
    return tuple(_of(name, list(group), now) for name, group in groupby(rows, key=lambda row: row.symbol))


def _of(symbol: str, rows: Sequence[BarsMonth], now: datetime) -> SymbolGaps:
    there = {row.month for row in rows}
    first, last = rows[0].month, rows[-1].month
    missing = tuple(month for month in months_between(first, last) if month not in there)
    return SymbolGaps(symbol, first, last, missing, _between(rows), tuple(_month(row, now) for row in rows))


def _between(rows: Sequence[BarsMonth]) -> tuple[Hole, ...]:
    """The holes from the last bar of a month to the first one of the next month in use."""
    found: list[Hole] = []
    for before, after in pairwise(rows):
        instrument = instrument_of(before.symbol, hours_of(before.source_details))
        ends = np.array([_ns(before.last_at), _ns(after.first_at)], np.int64)
        found += holes_between(instrument, session_of(instrument, ends).session.tolist())
    return tuple(found)


def _month(row: BarsMonth, now: datetime) -> MonthGaps:
    report = row.quality_report
    coverage, missing = float(report.get("coverage", 0.0)), [str(day) for day in report.get("sessions_missing", [])]
    then, today = judged_span(row), month_span(row.month, row.source_details, now)
    if then.end_ns < today.end_ns:  # no bar came since it was judged
        instrument = instrument_of(row.symbol, hours_of(row.source_details))
        minutes, longer = (len(expected_minutes(instrument, then.start_ns, one.end_ns)) for one in (then, today))
        coverage *= minutes / longer if longer else 1.0
        missing += [
            str(np.datetime64(day, "D")) for day in sessions_closed(instrument, then.end_ns, today.end_ns).tolist()
        ]
    gaps = sorted(report.get("gaps", []), key=lambda gap: -int(gap["minutes"]))
    return MonthGaps(
        row.month,
        row.data_label,
        row.bars_count,
        coverage,
        tuple(missing),
        tuple(SessionAside(**one) for one in report.get("sessions_aside", [])),
        tuple(SessionAccepted(**one) for one in report.get("sessions_accepted", [])),
        tuple(one["message"] for one in report.get("problems", []) if one["code"] == ProblemCode.KNOWN_HALT),
        tuple(f"{gap['minutes']} minutes from {gap['start']}" for gap in gaps),
    )


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * NS_PER_SECOND
