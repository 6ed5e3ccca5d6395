"""Reads of what backtests led to: sessions, trades and equity, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import not_found
from services.finding import require_bot
from sql.queries.backtests import sessions
from sql.queries.bars import catalogue
from sql.queries.paging import After, AfterMonth, AfterSeq, Page
from sql.tables.bars import BarsMonth
from sql.tables.bots import Bot
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from trading.instruments import Instrument, get_instrument

SessionRow = BacktestSession
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class TradeView:
    """One round trip; prices are decimal texts in price units, money is USD."""

    id: str
    session_id: UUID
    bot_id: UUID
    source: str
    side: str
    qty: int
    contract: str
    entry_at: datetime
    entry_price: str
    exit_at: datetime
    exit_price: str
    gross_pnl: Decimal
    commission: Decimal
    net_pnl: Decimal
    exit_reason: str


@dataclass(frozen=True, slots=True)
class OfSession(Generic[Row]):
    """A page of what one session led to. session_id: None where the bot has no session to show."""

    session_id: UUID | None
    page: Page[Row, AfterSeq]


def page_sessions(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Page[BacktestSession, After]:
    """Return a page of a bot's sessions, newest first, of all epochs and versions.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    require_bot(session, bot_id)
    return sessions.page_sessions(session, bot_id, after=after, limit=limit)


def page_trades(
    session: Session, bot_id: UUID, *, session_id: UUID | None = None, after: AfterSeq | None = None, limit: int
) -> OfSession[TradeView]:
    """Return a page of the trades of one session, newest first; by default the one the bot's metrics are of.

    after: where the page before ended; its session is gone on with, whatever has come since.

    Raises:
        GantryError: NOT_FOUND for an unknown bot, or a session that isn't the bot's.

    """
    require_bot(session, bot_id)
    chosen = _session_id(session, bot_id, after.session_id if after else session_id)
    if chosen is None:
        return OfSession(None, Page((), None))
    page = sessions.page_trades(session, chosen, below=after.seq if after else None, limit=limit)
    instrument = get_instrument(session.get_one(Bot, bot_id).symbol)
    return OfSession(chosen, page.with_rows([_trade(row, instrument) for row in page.rows]))


def page_equity(
    session: Session, bot_id: UUID, *, session_id: UUID | None = None, after: AfterSeq | None = None, limit: int
) -> OfSession[EquityPoint]:
    """Return a page of the equity of one session, oldest first; by default the newest since equity last began anew.

    after: where the page before ended; its session is gone on with, whatever has come since.

    Raises:
        GantryError: NOT_FOUND for an unknown bot, or a session that isn't the bot's.

    """
    require_bot(session, bot_id)
    asked = after.session_id if after else session_id
    newest = sessions.newest_with_equity(session, bot_id) if asked is None else None
    chosen = (newest.id if newest else None) if asked is None else _session_id(session, bot_id, asked)
    if chosen is None:
        return OfSession(None, Page((), None))
    return OfSession(chosen, sessions.page_equity(session, chosen, above=after.seq if after else None, limit=limit))


def page_months(
    session: Session, *, symbol: str | None, after: AfterMonth | None, limit: int
) -> Page[BarsMonth, AfterMonth]:
    """Return a page of the months of bars in use, or of those of one symbol, by symbol and month.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol.

    """
    if symbol is not None:
        get_instrument(symbol)
    return catalogue.page_months(session, symbol=symbol, after=after, limit=limit)


def price_text(ticks: int, instrument: Instrument) -> str:
    """Return a price of that many ticks as decimal text, with the tick size's digits."""
    return format(ticks * instrument.tick_size, "f")


def _session_id(session: Session, bot_id: UUID, asked: UUID | None) -> UUID | None:
    if asked is None:
        newest = sessions.newest_completed(session, bot_id)
        return newest.id if newest else None
    if sessions.session_of_bot(session, bot_id, asked) is None:
        raise not_found("session of that bot", asked, fix="List them: GET /api/bots/{id}/backtests.")
    return asked


def _trade(row: TradeLog, instrument: Instrument) -> TradeView:
    return TradeView(
        id=f"{row.session_id}:{row.seq}",
        session_id=row.session_id,
        bot_id=row.bot_id,
        source=row.source,
        side="LONG" if row.side > 0 else "SHORT",
        qty=row.qty,
        contract=row.contract,
        entry_at=row.entry_at,
        entry_price=price_text(row.entry_ticks, instrument),
        exit_at=row.exit_at,
        exit_price=price_text(row.exit_ticks, instrument),
        gross_pnl=row.gross_pnl,
        commission=row.commission,
        net_pnl=row.net_pnl,
        exit_reason=row.exit_reason,
    )


def sessions_by_id(session: Session, ids: Sequence[UUID]) -> Sequence[SessionRow]:
    """Return those of these sessions that there are."""
    return sessions.by_id(session, ids)
