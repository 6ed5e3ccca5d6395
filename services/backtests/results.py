"""Reads of what backtests led to: sessions, trades and equity, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import not_found
from services.finding import require_bot
from sql.queries.backtests import sessions
from sql.queries.bars import catalogue
from sql.queries.paging import After
from sql.tables.bars import BarsMonth
from sql.tables.bots import Bot
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from trading.instruments import Instrument, get_instrument

SessionRow = BacktestSession


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A page of sessions; `following` is where the next one starts."""

    rows: Sequence[BacktestSession]
    following: After | None


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
class TradePage:
    """A page of one session's trades, newest first; `following` is the seq to go on below."""

    session_id: UUID | None
    trades: tuple[TradeView, ...]
    following: int | None


@dataclass(frozen=True, slots=True)
class EquityPage:
    """A page of one session's equity, oldest first; `following` is the seq to go on above."""

    session_id: UUID | None
    points: Sequence[EquityPoint]
    following: int | None


@dataclass(frozen=True, slots=True)
class MonthPage:
    """A page of months of bars; `following` is (symbol, month) to go on after."""

    months: Sequence[BarsMonth]
    following: tuple[str, str] | None


def page_sessions(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> SessionPage:
    """Return a page of a bot's sessions, newest first, of all epochs and versions.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    require_bot(session, bot_id)
    rows = sessions.page_sessions(session, bot_id, after=after, limit=limit)
    last = rows[limit - 1] if len(rows) > limit else None
    return SessionPage(rows[:limit], After(last.created_at, last.id) if last else None)


def page_trades(
    session: Session, bot_id: UUID, *, session_id: UUID | None = None, below: int | None = None, limit: int
) -> TradePage:
    """Return a page of the trades of one session; by default the one the bot's metrics are of.

    Raises:
        GantryError: NOT_FOUND for an unknown bot, or a session that isn't the bot's.

    """
    require_bot(session, bot_id)
    chosen = _session_id(session, bot_id, session_id)
    if chosen is None:
        return TradePage(None, (), None)
    rows = sessions.page_trades(session, chosen, below=below, limit=limit)
    bot = session.get_one(Bot, bot_id)
    instrument = get_instrument(bot.symbol)
    following = rows[limit - 1].seq if len(rows) > limit else None
    return TradePage(chosen, tuple(_trade(row, instrument) for row in rows[:limit]), following)


def page_equity(
    session: Session, bot_id: UUID, *, session_id: UUID | None = None, above: int | None = None, limit: int
) -> EquityPage:
    """Return a page of the equity of one session; by default the newest one since equity last began anew.

    Raises:
        GantryError: NOT_FOUND for an unknown bot, or a session that isn't the bot's.

    """
    require_bot(session, bot_id)
    newest = sessions.newest_with_equity(session, bot_id) if session_id is None else None
    chosen = (newest.id if newest else None) if session_id is None else _session_id(session, bot_id, session_id)
    if chosen is None:
        return EquityPage(None, (), None)
    rows = sessions.page_equity(session, chosen, above=above, limit=limit)
    return EquityPage(chosen, rows[:limit], rows[limit - 1].seq if len(rows) > limit else None)


def page_months(session: Session, *, symbol: str | None, after: tuple[str, str] | None, limit: int) -> MonthPage:
    """Return a page of the months of bars in use, by symbol and month."""
    rows = catalogue.page_months(session, symbol=symbol, after=after, limit=limit)
    last = rows[limit - 1] if len(rows) > limit else None
    return MonthPage(rows[:limit], (last.symbol, last.month) if last else None)


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
