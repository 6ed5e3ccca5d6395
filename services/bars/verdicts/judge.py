"""Judge months in use again by the rules of today; the bars stay as they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import SystemEvent
from integrations.store import BarsStore
from services import events
from services.bars.coverage import judged_span
from services.bars.decide import read_there
from services.bars.verdicts.check import CheckedMonth, check_months
from services.bars.write import Progress, put_in_use
from sql.engine import Transactions
from sql.queries.bars import accepted as accepted_queries
from sql.queries.bars import catalogue as queries
from sql.tables.bars import BarsMonth
from trading.bars.quality import NONE_ACCEPTED, assess
from trading.day_session import hours_of, instrument_of

_COLUMNS: Final = tuple(column.name for column in BarsMonth.__table__.columns)
_RENEWED: Final = ("id", "quality", "quality_report", "trace_id", "created_at")


def judged_again(store: BarsStore, there: BarsMonth, accepted: Mapping[str, str]) -> BarsMonth:
    """Return the row to put in the place of the one there: the same bars, judged again.

    accepted: the sessions of the symbol that are used though they fail, by day.

    Raises:
        GantryError: DATA_UNAVAILABLE for a file that can't be read, or holds other bars than the catalogue names.

    """
    instrument = instrument_of(there.symbol, hours_of(there.source_details))
    bars = read_there(store, there, instrument)
    quality = assess(bars, instrument, judged_span(there), accepted=accepted)
    kept = {name: getattr(there, name) for name in _COLUMNS if name not in _RENEWED}
    return BarsMonth(
        **kept,
        id=new_id(),
        quality=quality.verdict.value,
        quality_report=quality.as_json(),
        trace_id=current_trace_id(),
    )


def renew_verdicts(
    tx: Transactions, store: BarsStore, *, symbol: str | None, actor: str, now: datetime, progress: Progress
) -> tuple[CheckedMonth, ...]:
    """Store today's verdict of each sound month whose verdict changed; return every month as it is checked then.

    A renewed month is a new row of the catalogue on the same file. Its symbol's bots are due at the next tick where it
    puts other sessions aside; otherwise backtests read the same bars, and their results stand.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol; DATA_UNAVAILABLE for a file damaged meanwhile; CONFLICT
            for a month changed at the same time.

    """
    checked = check_months(tx, store, symbol=symbol, progress=progress)
    changed = {(one.symbol, one.month) for one in checked if one.verdict_changed}
    if not changed:
        return checked
    with tx() as session:
        rows = [row for row in queries.active_months(session, symbol=symbol) if (row.symbol, row.month) in changed]
        accepted = accepted_queries.accepted_sessions(session)
    renewed = [judged_again(store, row, accepted.get(row.symbol, NONE_ACCEPTED)) for row in rows]
    with tx() as session:
        for row, there in zip(renewed, rows, strict=True):
            before = there.quality
            put_in_use(session, row, there, now=now)
            events.note(
                session,
                SystemEvent.BARS_JUDGED_AGAIN,
                f"{row.symbol} {row.month} is {row.quality} by the rules of today, it was {before}.",
                actor=actor,
                payload={"symbol": row.symbol, "month": row.month, "bars_id": str(row.id), "before": before},
            )
    return check_months(tx, store, symbol=symbol)
