"""Trades written by binary COPY read back as what the engine meant, to the last digit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.errors import GantryError
from core.ids import new_id
from fleet.closed_sets import TradeSource
from sql.copy import ROWS_PER_WRITE, TradesOf, copy_trades
from sql.engine import Transactions
from sql.tables.results import TradeLog
from tests.factories.databases import OwnerSql
from tests.factories.results import CONTRACTS, made_trades
from tests.factories.windows import START_NS
from trading.backtest.types import E4, ExitReason, Trades

SESSION, BOT = new_id(), new_id()
START = datetime(2024, 1, 2, tzinfo=UTC)


def _copy(
    session: Session, trades: Trades, *, contracts: tuple[str, ...] = CONTRACTS, session_id: UUID = SESSION
) -> int:
    return copy_trades(session, [TradesOf(session_id, BOT, TradeSource.BACKTEST, 7, trades, contracts)])


def _stored(session: Session) -> list[TradeLog]:
    return list(session.scalars(select(TradeLog).where(TradeLog.session_id == SESSION).order_by(TradeLog.seq)))


def test_every_column_reads_back_as_what_was_written(session: Session) -> None:
    trades = made_trades(300)
    assert _copy(session, trades) == 300
    rows = _stored(session)
    assert [row.seq for row in rows] == list(range(300))
    assert {(row.session_id, row.bot_id, row.source, row.epoch) for row in rows} == {(SESSION, BOT, "BACKTEST", 7)}
    for at, row in enumerate(rows):
        assert (row.side, row.qty) == (trades.side[at], trades.qty[at])
        assert row.contract == CONTRACTS[trades.contract[at]]
        assert row.exit_reason == ExitReason(int(trades.reason[at])).name
        assert (row.entry_ticks, row.exit_ticks) == (trades.entry_ticks[at], trades.exit_ticks[at])
        assert row.entry_at == START + timedelta(microseconds=int(trades.entry_ns[at] - START_NS) // 1000)
        assert row.exit_at - row.entry_at == timedelta(minutes=1)
        assert row.gross_pnl == Decimal(int(trades.gross_e4[at])) / E4
        assert row.commission == Decimal(int(trades.commission_e4[at])) / E4
        assert row.net_pnl == Decimal(int(trades.net_e4[at])) / E4


@pytest.mark.parametrize(
    "e4", [0, 1, -1, 9_999, 10_000, -10_000, 10_001, 99_999_999, 10**12, -(10**12) - 3, 10**18 - 1, 1 - 10**18]
)
def test_money_is_exact_from_a_hundredth_of_a_cent_to_the_columns_limit(session: Session, e4: int) -> None:
    _copy(session, replace(made_trades(1), gross_e4=np.array([e4]), commission_e4=np.zeros(1, np.int64)))
    assert [row.gross_pnl for row in _stored(session)] == [Decimal(e4).scaleb(-4)]


def test_money_over_the_columns_limit_is_refused(tx: Transactions, owner_sql: OwnerSql) -> None:
    with pytest.raises(Exception, match="overflow"), tx() as session:
        _copy(session, replace(made_trades(1), gross_e4=np.array([10**18]), commission_e4=np.zeros(1, np.int64)))
    assert owner_sql("SELECT count(*) FROM trade_logs") == [(0,)]


def test_times_before_2000_are_times_too(session: Session) -> None:
    early = np.array([-1_000_000_000])
    _copy(session, replace(made_trades(1), entry_ns=early, exit_ns=early))
    assert [row.entry_at for row in _stored(session)] == [datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)]


def test_no_trades_are_nothing_to_write(session: Session) -> None:
    assert _copy(session, made_trades(0)) == 0
    assert _stored(session) == []


def test_more_rows_than_one_write_takes_are_all_written(session: Session) -> None:
    count = ROWS_PER_WRITE * 2 + 1
    _copy(session, made_trades(count))
    counted = session.execute(text("SELECT count(*), max(seq), sum(net_pnl) FROM trade_logs")).one()
    assert tuple(counted) == (count, count - 1, Decimal(int(made_trades(count).net_e4.sum())) / E4)


def test_names_of_contracts_may_be_empty_long_or_not_ascii(session: Session) -> None:
    names = ("", "Größe ✓", "x" * 3_000)
    trades = replace(made_trades(3), contract=np.arange(3, dtype=np.int32))
    _copy(session, trades, contracts=names)
    assert tuple(row.contract for row in _stored(session)) == names


@pytest.mark.parametrize("position", [len(CONTRACTS), -1])
def test_a_contract_without_a_name_is_refused_before_anything_is_sent(session: Session, position: int) -> None:
    with pytest.raises(ValueError, match="contract points outside"):
        _copy(session, replace(made_trades(1), contract=np.array([position], np.int32)))
    assert session.scalar(text("SELECT count(*) FROM trade_logs")) == 0


def test_trades_live_and_die_with_their_transaction(tx: Transactions, owner_sql: OwnerSql) -> None:
    def copy_then_raise() -> None:
        with tx() as session:
            _copy(session, made_trades(5))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        copy_then_raise()
    assert owner_sql("SELECT count(*) FROM trade_logs") == [(0,)]
    with tx() as session:
        _copy(session, made_trades(5))
    assert owner_sql("SELECT count(*) FROM trade_logs") == [(5,)]


def test_the_same_session_twice_is_refused_whole(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tx() as session:
        _copy(session, made_trades(5))
    with pytest.raises(Exception, match="pk_trade_logs"), tx() as session:
        _copy(session, made_trades(6))
    assert owner_sql("SELECT count(*) FROM trade_logs") == [(5,)]


def test_an_exit_before_its_entry_is_refused(tx: Transactions) -> None:
    trades = made_trades(1)
    with pytest.raises(Exception, match="exit_after_entry") as caught, tx() as session:
        _copy(session, replace(trades, entry_ns=trades.exit_ns, exit_ns=trades.entry_ns))
    assert not isinstance(caught.value, GantryError), "only a defect can cause it"
