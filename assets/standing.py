"""What Dagster shows of a bot, read from stored rows, never from a worker's memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.backtests.results import SessionRow, TradeView, page_equity, page_trades, sessions_by_id
from services.backtests.rollups import current_session, from_raw_rows
from services.bots.keys import partition_keys
from services.bots.read import BotView, get_bot, some_bots
from sql.engine import Transactions
from trading.metrics import Metrics

LAST_TRADES = 20
MOST_DAYS = 10_000


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """The session a bot's metrics are of. analysis: {check: {passed, observed, message}}."""

    id: UUID
    job_id: UUID
    net_pnl: Decimal
    open_pnl: Decimal
    total_trades: int
    max_drawdown_usd: Decimal
    bars_hash: str
    bars_count: int
    data_label: str
    engine: str
    engine_version: str
    code_version: str
    epoch: int
    trace_id: str
    analysis: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BotRecord:
    """A bot, its session, and that session's figures added up from its raw trades and equity; None without one.

    partition: its key in Dagster.
    """

    bot: BotView
    partition: str
    session: SessionFacts | None
    raw: Metrics | None


@dataclass(frozen=True, slots=True)
class Curve:
    """D trading days: profit since start and drawdown of each day, USD, with the last trades, newest first."""

    days: tuple[datetime, ...]
    equity_usd: tuple[float, ...]
    drawdown_usd: tuple[float, ...]
    last_trades: tuple[TradeView, ...]


def read_standing(tx: Transactions, bot_id: UUID, *, now: datetime) -> BotRecord:
    """Read one bot.

    Raises:
        GantryError: NOT_FOUND.

    """
    with tx() as session:
        bot = get_bot(session, bot_id, now=now)
        key = partition_keys(session, [bot_id])[bot_id]
        row = current_session(session, bot_id)
        if row is None:
            return BotRecord(bot, key, None, None)
        return BotRecord(bot, key, _facts(row), from_raw_rows(session, row.id))


def read_standings(tx: Transactions, bot_ids: Sequence[UUID], *, now: datetime) -> tuple[BotRecord, ...]:
    """Read many bots in a fixed number of queries, without adding up their raw rows."""
    with tx() as session:
        bots, keys = some_bots(session, bot_ids, now=now), partition_keys(session, bot_ids)
        rows = {row.id: row for row in sessions_by_id(session, [b.session_id for b in bots if b.session_id])}
        found = [(bot, rows.get(bot.session_id) if bot.session_id else None) for bot in bots]
        return tuple(BotRecord(bot, keys[bot.id], _facts(row) if row is not None else None, None) for bot, row in found)


def _facts(row: SessionRow) -> SessionFacts:
    return SessionFacts(
        id=row.id,
        job_id=row.job_id,
        net_pnl=row.net_pnl or Decimal(0),
        open_pnl=row.open_pnl or Decimal(0),
        total_trades=row.total_trades or 0,
        max_drawdown_usd=row.max_drawdown_usd or Decimal(0),
        bars_hash=row.bars_hash or "",
        bars_count=row.bars_count or 0,
        data_label=row.data_label or "",
        engine=row.engine,
        engine_version=row.engine_version,
        code_version=row.code_version,
        epoch=row.epoch,
        trace_id=row.trace_id,
        analysis=row.analysis,
    )


def read_curve(tx: Transactions, bot_id: UUID, session_id: UUID) -> Curve:
    """Read the equity and the last trades of one session of a bot."""
    with tx() as session:
        points = page_equity(session, bot_id, session_id=session_id, limit=MOST_DAYS).page.rows
        trades = page_trades(session, bot_id, session_id=session_id, limit=LAST_TRADES).page.rows
        return Curve(
            tuple(point.at for point in points),
            tuple(float(point.equity_usd) for point in points),
            tuple(float(point.drawdown_usd) for point in points),
            tuple(trades),
        )
