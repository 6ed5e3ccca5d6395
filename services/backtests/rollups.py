"""Rollups: metrics of the current epoch, derived from raw rows; running it again changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fleet.closed_sets import TradeSource
from services.backtests.completed import CompletedBacktest
from services.finding import require_bot
from sql.queries.backtests import sessions
from sql.tables.results import BacktestSession
from sql.tables.standing import MetricsRollup
from trading import metrics
from trading.backtest.types import E4, STARTING_CAPITAL_USD
from trading.metrics import Metrics


def refresh_rollup(session: Session, bot_id: UUID, *, now: datetime) -> MetricsRollup | None:
    """Derive a bot's BACKTEST rollup anew from its newest COMPLETED session of version and epoch; None without one.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    require_bot(session, bot_id)
    newest = sessions.newest_completed(session, bot_id)
    if newest is None:
        session.execute(
            delete(MetricsRollup).where(MetricsRollup.bot_id == bot_id, MetricsRollup.source == TradeSource.BACKTEST)
        )
        return None
    figures = from_raw_rows(session, newest.id)
    values = {
        "epoch": newest.epoch,
        "session_id": newest.id,
        **_figures(figures),
        "updated_at": max(now, newest.completed_at),  # a caller's `now` may be older than what it computed since
    }
    statement = (
        insert(MetricsRollup)
        .values(bot_id=bot_id, source=TradeSource.BACKTEST, **values)
        .on_conflict_do_update(index_elements=["bot_id", "source"], set_=values)
        .returning(MetricsRollup)
    )
    return session.scalars(statement, execution_options={"populate_existing": True}).one()


def write_rollups(session: Session, standings: Sequence[CompletedBacktest]) -> None:
    """Write the BACKTEST rollups of bots whose backtest just completed, in one statement."""
    if not standings:
        return
    rows = [
        {
            "bot_id": one.bot_id,
            "source": TradeSource.BACKTEST,
            "epoch": one.epoch,
            "session_id": one.session_id,
            **_figures(one.metrics),
            "updated_at": one.updated_at,
        }
        for one in standings
    ]
    statement = insert(MetricsRollup)
    columns = {name: statement.excluded[name] for name in rows[0] if name not in {"bot_id", "source"}}
    session.execute(statement.on_conflict_do_update(index_elements=["bot_id", "source"], set_=columns), rows)


def _figures(figures: Metrics) -> dict[str, Any]:
    return {
        "total_trades": figures.total_trades,
        "wins": figures.wins,
        "net_pnl": figures.net_pnl,
        "open_pnl": figures.open_pnl,
        "gross_profit": figures.gross_profit,
        "gross_loss": figures.gross_loss,
        "max_drawdown_usd": figures.max_drawdown_usd,
        "max_drawdown_fraction": figures.max_drawdown_fraction,
        "sharpe": figures.sharpe,
        "profit_factor": figures.profit_factor,
    }


def from_raw_rows(session: Session, session_id: UUID) -> Metrics:
    """Compute a session's metrics from its stored trades and daily equity; equal to what grading computed."""
    sums = sessions.trade_sums(session, session_id)
    days = sessions.daily_equity(session, session_id)
    closing = np.array([int(equity * E4) for equity, _ in days], np.int64)
    deepest = max((drawdown for _, drawdown in days), default=Decimal(0))
    return Metrics(
        net_pnl=sums.net_pnl,
        open_pnl=(days[-1][0] if days else Decimal(0)) - sums.net_pnl,
        gross_profit=sums.gross_profit,
        gross_loss=sums.gross_loss,
        total_trades=sums.total,
        wins=sums.wins,
        losses=sums.losses,
        win_rate=metrics.win_rate(sums.wins, sums.total),
        max_drawdown_usd=deepest,
        max_drawdown_fraction=float(deepest / STARTING_CAPITAL_USD),
        sharpe=metrics.sharpe_ratio(np.diff(closing, prepend=0)),
        profit_factor=metrics.profit_factor(sums.gross_profit, sums.gross_loss),
        expectancy=metrics.expectancy(sums.net_pnl, sums.total),
    )


def current_session(session: Session, bot_id: UUID) -> BacktestSession | None:
    """Return the session a bot's BACKTEST metrics are those of; None when it needs a backtest."""
    return sessions.newest_completed(session, bot_id)
