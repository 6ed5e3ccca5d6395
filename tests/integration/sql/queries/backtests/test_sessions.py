"""Which session counts, and its trades page by page."""

from datetime import timedelta

from sqlalchemy.orm import Session

from sql.queries.backtests import sessions
from tests.factories.bots import NOW, make_bot
from tests.factories.results import make_session


def test_the_session_that_counts_is_the_newest_completed_of_version_and_epoch(session: Session) -> None:
    bot = make_bot(session)
    make_session(session, bot, created_at=NOW)
    newest = make_session(session, bot, created_at=NOW + timedelta(minutes=1))
    make_session(session, bot, epoch=1, created_at=NOW + timedelta(minutes=2))
    found = sessions.newest_completed(session, bot.id)
    assert found is not None
    assert found.id == newest.id


def test_trades_of_a_session_add_up_to_its_net_pnl_to_the_last_digit(session: Session) -> None:
    stored = make_session(session, make_bot(session), trades=500)
    sums = sessions.trade_sums(session, stored.id)
    assert (sums.total, sums.net_pnl) == (500, stored.net_pnl)
    assert sums.gross_profit + sums.gross_loss == sums.net_pnl
    assert sums.wins + sums.losses <= sums.total


def test_pages_of_trades_hold_each_once(session: Session) -> None:
    stored = make_session(session, make_bot(session), trades=10)
    seen: list[int] = []
    below: int | None = None
    while rows := sessions.page_trades(session, stored.id, below=below, limit=4).rows:
        seen += [row.seq for row in rows]
        below = rows[-1].seq
    assert seen == list(range(9, -1, -1))
