"""What backtests led to, page by page: sessions, trades, equity, and the months of bars in use."""

from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import TradeSource
from services.backtests.results import page_equity, page_months, page_sessions, page_trades, price_text, sessions_by_id
from sql.copy import EquityOf, copy_equity
from sql.tables.bots import Bot
from sql.tables.results import BacktestSession
from tests.factories.bars_months import make_month
from tests.factories.bots import make_bot
from tests.factories.promotions import good_result
from tests.factories.results import make_session
from trading import metrics
from trading.instruments import get_instrument


@pytest.fixture
def graded(session: Session) -> BacktestSession:
    """A session of five trades over three days."""
    row = make_session(session, make_bot(session), trades=5)
    days = metrics.daily_points(good_result(3))
    copy_equity(session, [EquityOf(row.id, row.bot_id, TradeSource.BACKTEST, 0, days)])
    return row


def test_sessions_are_walked_newest_first_those_of_earlier_epochs_included(session: Session) -> None:
    bot = make_bot(session)
    made = [make_session(session, bot, epoch=epoch).id for epoch in (0, 0, 1)]
    first = page_sessions(session, bot.id, after=None, limit=2)
    rest = page_sessions(session, bot.id, after=first.following, limit=2)
    assert [row.id for row in (*first.rows, *rest.rows)] == made[::-1]
    assert (first.following is None, rest.following) == (False, None)
    assert {row.id for row in sessions_by_id(session, [made[0], new_id()])} == {made[0]}


def test_trades_are_walked_newest_first_and_add_up(session: Session, graded: BacktestSession) -> None:
    first = page_trades(session, graded.bot_id, limit=3)
    rest = page_trades(session, graded.bot_id, after=first.page.following, limit=3)
    trades = (*first.page.rows, *rest.page.rows)
    assert [trade.id for trade in trades] == [f"{graded.id}:{seq}" for seq in range(4, -1, -1)]
    assert rest.page.following is None
    assert sum((trade.net_pnl for trade in trades), Decimal(0)) == graded.net_pnl
    assert all(trade.net_pnl == trade.gross_pnl - trade.commission for trade in trades)


def test_equity_is_walked_oldest_first(session: Session, graded: BacktestSession) -> None:
    first = page_equity(session, graded.bot_id, limit=2)
    rest = page_equity(session, graded.bot_id, after=first.page.following, limit=2)
    assert [point.seq for point in (*first.page.rows, *rest.page.rows)] == [0, 1, 2]
    assert (first.session_id, rest.page.following) == (graded.id, None)


def test_a_bot_that_was_never_graded_has_empty_pages(session: Session) -> None:
    bot = make_bot(session)
    trades, equity = page_trades(session, bot.id, limit=3), page_equity(session, bot.id, limit=3)
    assert (trades.session_id, list(trades.page.rows), trades.page.following) == (None, [], None)
    assert (equity.session_id, list(equity.page.rows), equity.page.following) == (None, [], None)


def test_a_session_of_another_bot_is_not_found(session: Session, graded: BacktestSession) -> None:
    other: Bot = make_bot(session, "other")
    for page in (page_trades, page_equity):
        with pytest.raises(GantryError) as refused:
            page(session, other.id, session_id=graded.id, limit=3)
        assert refused.value.code is ErrorCode.NOT_FOUND


def test_months_in_use_are_walked_by_symbol_and_month(session: Session) -> None:
    made = [("CL", "2024-01"), ("ES", "2023-12"), ("ES", "2024-01")]
    for symbol, month in reversed(made):
        make_month(session, symbol, month)
    first = page_months(session, symbol=None, after=None, limit=2)
    rest = page_months(session, symbol=None, after=first.following, limit=2)
    assert [(row.symbol, row.month) for row in (*first.rows, *rest.rows)] == made
    assert rest.following is None
    assert [row.symbol for row in page_months(session, symbol="CL", after=None, limit=9).rows] == ["CL"]


@pytest.mark.parametrize(("symbol", "ticks", "shown"), [("ES", 20_001, "5000.25"), ("CL", -50, "-0.50")])
def test_a_price_has_its_ticks_digits(symbol: str, ticks: int, shown: str) -> None:
    assert price_text(ticks, get_instrument(symbol)) == shown
