"""Take a session in that is put aside: audited, and once is enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind, bad_data, invalid
from core.trace import current_trace_id
from fleet.closed_sets import SystemEvent
from integrations.store import BarsStore
from services import events
from services.bars.verdicts.judge import judged_again
from services.bars.write import put_in_use
from sql.engine import Transactions
from sql.queries.bars import accepted as accepted_queries
from sql.queries.bars import catalogue as queries
from sql.tables.bars import AcceptedSession, BarsMonth
from trading.bars.aside import sessions_aside
from trading.bars.quality import NONE_ACCEPTED
from trading.bars.quality_types import ProblemCode
from trading.instruments import get_instrument

_LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A session (YYYY-MM-DD) that is used though it fails. months: that hold it. already: it was accepted before."""

    symbol: str
    session: str
    reason: str
    months: tuple[str, ...]
    already: bool


def accept_session(
    tx: Transactions, store: BarsStore, symbol: str, session_on: str, *, reason: str, actor: str, now: datetime
) -> Acceptance:
    """Use a session that is put aside from now on; its month stays WARN. An accepted one stays as it was accepted.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol, no day or no reason; NOT_FOUND for a session that isn't
            put aside; DATA_QUALITY_FAILED for one with bars that can't be; DATA_UNAVAILABLE for a damaged file;
            CONFLICT for a month changed at the same time.

    """
    get_instrument(symbol)
    day = _day(session_on)
    reason = _reason(reason)
    with tx() as session:
        taken = accepted_queries.accepted_sessions(session).get(symbol, NONE_ACCEPTED)
        rows = [row for row in queries.active_months(session, symbol=symbol) if _has(row, day)]
    _refuse_impossible(rows, symbol, day)  # also of a session accepted before, which such bars put aside again
    if day.isoformat() in taken:
        return Acceptance(symbol, day.isoformat(), taken[day.isoformat()], (), already=True)
    if not rows:
        raise GantryError(
            ErrorCode.NOT_FOUND,
            f"No session of {symbol} on {day} is put aside.",
            fix=f"`gantry bars gaps {symbol}` lists those that are.",
            kind=Kind.NOT_FOUND,
        )
    renewed = [judged_again(store, row, {**taken, day.isoformat(): reason}) for row in rows]
    with tx() as session:
        accepted = AcceptedSession(
            symbol=symbol, session_on=day, reason=reason, actor=actor, trace_id=current_trace_id()
        )
        for row, there in zip(renewed, rows, strict=True):
            put_in_use(session, row, there, now=now)
        session.add(accepted)
        _publish(session, accepted, renewed)
    return Acceptance(symbol, day.isoformat(), reason, tuple(row.month for row in rows), already=False)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(
            f"{text!r} is not a date.", fix="Give it as YYYY-MM-DD, such as 2025-11-28.", field="session"
        ) from None


def _reason(text: str) -> str:
    reason = text.strip()
    if not 1 <= len(reason) <= _LONGEST_REASON or not reason.isprintable():
        message = f"The reason must have 1 to {_LONGEST_REASON} printable characters."
        raise invalid(message, fix="Say with --reason why the session may be used.", field="reason")
    return reason


def _has(row: BarsMonth, day: date) -> bool:
    return day.isoformat() in sessions_aside(row.quality_report)


def _refuse_impossible(rows: Sequence[BarsMonth], symbol: str, day: date) -> None:
    failed = (one for row in rows for one in row.quality_report["sessions_aside"] if one["session"] == day.isoformat())
    for one in failed:
        if one["code"] != ProblemCode.MINUTES_MISSING:
            raise bad_data(
                f"The session of {symbol} on {day} has bars that can't be: {one['message']}",
                fix="Import that session from another source with --replace.",
                facts={"problem": one["code"]},
            )


def _publish(session: Session, accepted: AcceptedSession, rows: Sequence[BarsMonth]) -> None:
    day = accepted.session_on.isoformat()
    events.note(
        session,
        SystemEvent.BARS_SESSION_ACCEPTED,
        f"{accepted.symbol} {day} is used though it fails its checks: {accepted.reason}",
        actor=accepted.actor,
        payload={
            "symbol": accepted.symbol,
            "session": day,
            "reason": accepted.reason,
            "bars_ids": [str(row.id) for row in rows],
        },
    )
