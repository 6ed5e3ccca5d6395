"""Reads of raw backtest results: sessions, trades, equity, and the sums metrics are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from sql.queries import current
from sql.queries.paging import After, AfterSeq, Page, newest_page, page_of, rows_read
from sql.tables.bots import Bot, BotBoundary
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import AutonomyScore


def score_of(session: Session, bot_id: UUID) -> AutonomyScore | None:
    """Return a bot's score."""
    return session.scalars(select(AutonomyScore).where(AutonomyScore.bot_id == bot_id)).one_or_none()


@dataclass(frozen=True, slots=True)
class TradeSums:
    """Sums over trades, USD; a trade wins with net above 0 and loses with net below."""

    total: int
    wins: int
    losses: int
    net_pnl: Decimal
    gross_profit: Decimal
    gross_loss: Decimal


def newest_completed(session: Session, bot_id: UUID) -> BacktestSession | None:
    """Return the newest COMPLETED session of the bot's current version in its current BACKTEST epoch."""
    query = (
        select(BacktestSession)
        .join(Bot, current.of_current_version(BacktestSession))
        .join(BotBoundary, current.of_current_epoch(BacktestSession))
        .where(current.completed_of(bot_id))
        .order_by(BacktestSession.created_at.desc(), BacktestSession.id.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def newest_with_equity(session: Session, bot_id: UUID) -> BacktestSession | None:
    """Return the newest COMPLETED session of the current version that the bot's equity curve shows.

    After a reset that left equity as it was, that is the one before it until there is a new one.
    """
    query = (
        select(BacktestSession)
        .join(Bot, current.of_current_version(BacktestSession))
        .join(BotBoundary, current.on_equity_curve())
        .where(current.completed_of(bot_id))
        .order_by(BacktestSession.epoch.desc(), BacktestSession.created_at.desc(), BacktestSession.id.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def by_id(session: Session, ids: Sequence[UUID]) -> Sequence[BacktestSession]:
    """Return those of these sessions that there are."""
    return session.scalars(select(BacktestSession).where(BacktestSession.id.in_(ids))).all()


def session_of_bot(session: Session, bot_id: UUID, session_id: UUID) -> BacktestSession | None:
    """Return one session, if it is that bot's."""
    query = select(BacktestSession).where(BacktestSession.id == session_id, BacktestSession.bot_id == bot_id)
    return session.scalars(query).one_or_none()


def page_sessions(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Page[BacktestSession, After]:
    """Return a page of a bot's sessions, newest first."""
    query = select(BacktestSession).where(BacktestSession.bot_id == bot_id)
    return newest_page(session, query, (BacktestSession.created_at, BacktestSession.id), after=after, limit=limit)


def page_trades(session: Session, session_id: UUID, *, below: int | None, limit: int) -> Page[TradeLog, AfterSeq]:
    """Return a page of a session's trades, newest first."""
    query = select(TradeLog).where(TradeLog.session_id == session_id)
    if below is not None:
        query = query.where(TradeLog.seq < below)
    rows = session.scalars(query.order_by(TradeLog.seq.desc()).limit(rows_read(limit))).all()
    return page_of(rows, limit, _after_seq)


def page_equity(session: Session, session_id: UUID, *, above: int | None, limit: int) -> Page[EquityPoint, AfterSeq]:
    """Return a page of a session's equity, oldest first."""
    query = select(EquityPoint).where(EquityPoint.session_id == session_id)
    if above is not None:
        query = query.where(EquityPoint.seq > above)
    rows = session.scalars(query.order_by(EquityPoint.seq).limit(rows_read(limit))).all()
    return page_of(rows, limit, _after_seq)


def _after_seq(row: TradeLog | EquityPoint) -> AfterSeq:
    return AfterSeq(row.session_id, row.seq)


def trade_sums(session: Session, session_id: UUID) -> TradeSums:
    """Sum a session's trades."""
    return sums_over(session, TradeLog.session_id == session_id)


def sums_over(session: Session, *trades: ColumnElement[bool]) -> TradeSums:
    """Sum the trades for which all of these hold."""
    net = TradeLog.net_pnl
    won, lost = net > 0, net < 0
    query = select(
        func.count(),
        func.count().filter(won),
        func.count().filter(lost),
        func.coalesce(func.sum(net), 0),
        func.coalesce(func.sum(net).filter(won), 0),
        func.coalesce(func.sum(net).filter(lost), 0),
    ).where(*trades)
    return TradeSums(*session.execute(query).one())


def daily_equity(session: Session, session_id: UUID) -> Sequence[tuple[Decimal, Decimal]]:
    """Return (equity, drawdown) of each trading day of a session, USD, in order."""
    query = (
        select(EquityPoint.equity_usd, EquityPoint.drawdown_usd)
        .where(EquityPoint.session_id == session_id)
        .order_by(EquityPoint.seq)
    )
    return [(equity, drawdown) for equity, drawdown in session.execute(query)]
