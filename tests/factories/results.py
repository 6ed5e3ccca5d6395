"""Completed backtests: a completed job, its session, and trades that add up to its net P&L."""

from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.closed_sets import DataLabel, JobStatus, SessionStatus, TradeSource
from sql.copy import TradesOf, copy_trades
from sql.tables.bots import Bot
from sql.tables.results import BacktestSession
from tests.factories.bots import NOW, TRACE
from tests.factories.jobs import make_job
from tests.factories.windows import MINUTE_NS, START_NS
from trading.backtest.types import E4, ExitReason, Trades

CONTRACTS = ("ESH4", "ESM4 (June)")


def made_trades(count: int, *, seed: int = 1) -> Trades:
    """Return random round trips of ES: every side, reason and contract, winners and losers, negative prices too."""
    rng = np.random.default_rng(seed)
    entry = np.arange(count, dtype=np.int64) * 2
    side = rng.choice(np.array([-1, 1], np.int8), count)
    ticks = rng.integers(-1_000, 20_000, (2, count))
    gross = (ticks[1] - ticks[0]) * side * 125_000
    commission = np.full(count, 45_000, np.int64)
    return Trades(
        side=side,
        qty=rng.integers(1, 5, count, dtype=np.int32),
        entry_bar=entry,
        exit_bar=entry + 1,
        entry_ns=START_NS + entry * MINUTE_NS,
        exit_ns=START_NS + (entry + 1) * MINUTE_NS,
        entry_ticks=ticks[0],
        exit_ticks=ticks[1],
        gross_e4=gross,
        commission_e4=commission,
        net_e4=gross - commission,
        reason=rng.integers(min(ExitReason), max(ExitReason) + 1, count).astype(np.int8),
        contract=rng.integers(0, len(CONTRACTS), count, dtype=np.int32),
    )


def make_session(session: Session, bot: Bot, *, trades: int = 3, epoch: int = 0, **changes: Any) -> BacktestSession:
    """Store a completed session of the bot's current version, with its trades."""
    made = made_trades(trades)
    gross, commission = (Decimal(int(e4.sum())) / E4 for e4 in (made.gross_e4, made.commission_e4))
    values: dict[str, Any] = {
        "id": new_id(),
        "version_id": bot.current_version_id,
        "job_id": changes.get("job_id") or make_job(session, bot, JobStatus.COMPLETED).id,
        "status": SessionStatus.COMPLETED,
        "data_label": DataLabel.SIMULATED,
        "bars_hash": "b" * 64,
        "bars_ids": [],
        "bars_count": 100,
        "engine": "rust",
        "engine_version": "1",
        "code_version": "1",
        "costs": {},
        "total_trades": trades,
        "net_pnl": gross - commission,
        "gross_pnl": gross,
        "commission": commission,
        "max_drawdown_usd": Decimal(0),
        "metrics": {},
        "analysis": {},
        "trace_id": TRACE,
        "started_at": NOW,
        "completed_at": NOW,
    }
    row = BacktestSession(bot_id=bot.id, epoch=epoch, **(values | changes))
    session.add(row)
    session.flush()
    copy_trades(session, [TradesOf(row.id, bot.id, TradeSource.BACKTEST, epoch, made, CONTRACTS)])
    return row
