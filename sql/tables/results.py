"""Raw truth of backtests: sessions, trades, equity. Insert-only; UPDATE, DELETE and TRUNCATE are refused."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import DataLabel, SessionStatus, TradeSource
from sql.tables.base import Base, one_of

Money = Numeric(18, 4)


class BacktestSession(Base):
    """One run of one bot version over one window of bars, written whole with its trades and equity."""

    __tablename__ = "backtest_sessions"
    __table_args__ = (
        one_of("status", SessionStatus),
        one_of("data_label", DataLabel),
        Index("ix_backtest_sessions_bot_id_created_at", "bot_id", "created_at"),
        Index("uq_backtest_sessions_job_id", "job_id", unique=True),
        CheckConstraint("(status = 'FAILED') = (error_code IS NOT NULL)", name="error_of_failed"),
        CheckConstraint("(status = 'COMPLETED') = (net_pnl IS NOT NULL)", name="result_of_completed"),
        CheckConstraint("status = 'FAILED' OR data_label IS NOT NULL", name="label_of_completed"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("bot_versions.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("bot_jobs.id"))
    status: Mapped[str]
    epoch: Mapped[int]
    data_label: Mapped[str | None]  # null for a FAILED one that never had bars
    bars_hash: Mapped[str | None]  # content hash of exactly the bars that were used
    bars_ids: Mapped[list[Any]]  # ids of bars_catalogue rows, in order of month
    bars_count: Mapped[int | None]
    window_start: Mapped[datetime | None]
    window_end: Mapped[datetime | None]
    engine: Mapped[str]
    engine_version: Mapped[str]
    code_version: Mapped[str]
    costs: Mapped[dict[str, Any]]
    total_trades: Mapped[int | None]
    net_pnl: Mapped[Decimal | None] = mapped_column(Money)
    gross_pnl: Mapped[Decimal | None] = mapped_column(Money)
    commission: Mapped[Decimal | None] = mapped_column(Money)
    max_drawdown_usd: Mapped[Decimal | None] = mapped_column(Money)
    metrics: Mapped[dict[str, Any] | None]  # see trading.metrics.Metrics; computed once, at the edge of truth
    open_position: Mapped[dict[str, Any] | None]
    analysis: Mapped[dict[str, Any]]  # guards and analyzers: {name: {passed, observed}}
    run_id: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    suggested_fix: Mapped[str | None]
    trace_id: Mapped[str]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def open_pnl(self) -> Decimal | None:
        """USD of the position that is open at the last bar, 0 without one; None for a FAILED session."""
        if self.net_pnl is None:
            return None
        return Decimal(self.open_position["unrealized_pnl"]) if self.open_position else Decimal(0)


class TradeLog(Base):
    """One round trip. No foreign keys: rows arrive by binary COPY in their session's transaction.

    Prices are integer ticks of the real contract; money is NUMERIC(18,4). Its id outside is `<session_id>:<seq>`.
    """

    __tablename__ = "trade_logs"
    __table_args__ = (
        PrimaryKeyConstraint("session_id", "seq"),
        one_of("source", TradeSource),
        # Backtests are read by session; a second index would double the time of their COPY.
        Index("ix_trade_logs_bot_id_entry_at", "bot_id", "entry_at", postgresql_where=text("source <> 'BACKTEST'")),
        CheckConstraint("side IN (-1, 1)", name="side_known"),
        CheckConstraint("qty > 0", name="qty_positive"),
        CheckConstraint("exit_at >= entry_at", name="exit_after_entry"),
    )

    session_id: Mapped[UUID]
    seq: Mapped[int]
    bot_id: Mapped[UUID]
    source: Mapped[str]
    epoch: Mapped[int]
    side: Mapped[int] = mapped_column(SmallInteger)
    qty: Mapped[int]
    contract: Mapped[str]
    entry_at: Mapped[datetime]
    exit_at: Mapped[datetime]
    entry_ticks: Mapped[int] = mapped_column(BigInteger)
    exit_ticks: Mapped[int] = mapped_column(BigInteger)
    gross_pnl: Mapped[Decimal] = mapped_column(Money)
    commission: Mapped[Decimal] = mapped_column(Money)
    net_pnl: Mapped[Decimal] = mapped_column(Money, Computed("gross_pnl - commission", persisted=True))
    exit_reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EquityPoint(Base):
    """Profit since the start of a session at the close of one trading day, and the drawdown reached in it."""

    __tablename__ = "bot_equity_curve"
    __table_args__ = (PrimaryKeyConstraint("session_id", "seq"), one_of("source", TradeSource))

    session_id: Mapped[UUID]
    seq: Mapped[int]
    bot_id: Mapped[UUID]
    source: Mapped[str]
    epoch: Mapped[int]
    trading_day: Mapped[date]
    at: Mapped[datetime]  # open time of the day's last bar
    equity_usd: Mapped[Decimal] = mapped_column(Money)  # profit since start, without starting capital
    drawdown_usd: Mapped[Decimal] = mapped_column(Money)  # deepest fall from the peak so far, within the day, >= 0
