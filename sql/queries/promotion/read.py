"""What promotions read: results of the current epoch by source, and the requests that wait for a second person."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from fleet.closed_sets import ImprovementVerdict, Stage, TradeSource
from fleet.promotion.gates import GateLimits
from sql.queries import current
from sql.queries.backtests.sessions import TradeSums, sums_over
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from sql.tables.improvements import BotImprovement
from sql.tables.promotions import PromotionRequest
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import MetricsRollup
from trading.backtest.findings import LOOK_AHEAD, Check


class BacktestRow(NamedTuple):
    """The newest backtest of a bot's version and epoch: its rollup, its label, and what its checks found (JSON)."""

    bot_id: UUID
    created_at: datetime
    total_trades: int
    wins: int
    losses: object
    net_pnl: Decimal
    max_drawdown_fraction: float
    profit_factor: float | None
    sharpe: float | None
    data_label: str | None
    guards: list[object]
    rolls_seen: object


class DayRow(NamedTuple):
    """One stored day of equity, USD: profit since the start of its session, deepest fall within the day."""

    session_id: UUID
    equity_usd: Decimal
    drawdown_usd: Decimal


class Since(NamedTuple):
    """From when a source's results count: its epoch, and when the epoch and the present version began."""

    epoch: int
    boundary_at: datetime
    version_at: datetime


def backtest_of(session: Session, bot_id: UUID) -> BacktestRow | None:
    """Return what a bot's BACKTEST metrics are made of; None when it needs a backtest."""
    row = session.execute(_backtests().where(Bot.id == bot_id)).one_or_none()
    return None if row is None else BacktestRow(*row)


def promising_backtests(session: Session, limits: GateLimits) -> list[BacktestRow]:
    """Return those of the bots in LAB that may meet these limits, in one statement; a coarse sieve, not the verdict."""
    query = _backtests().where(
        Bot.stage == Stage.LAB,
        Bot.archived_at.is_(None),
        MetricsRollup.total_trades >= limits.trades,
        MetricsRollup.max_drawdown_fraction <= limits.max_drawdown_fraction,
        MetricsRollup.profit_factor >= limits.profit_factor,
        MetricsRollup.sharpe >= limits.sharpe,
    )
    return [BacktestRow(*row) for row in session.execute(query)]


def _backtests() -> Select[Any]:
    guards = [BacktestSession.analysis[(guard.value, "passed")] for guard in sorted(LOOK_AHEAD)]
    return (
        select(
            Bot.id,
            Bot.created_at,
            MetricsRollup.total_trades,
            MetricsRollup.wins,
            BacktestSession.metrics["losses"],
            MetricsRollup.net_pnl,
            MetricsRollup.max_drawdown_fraction,
            MetricsRollup.profit_factor,
            MetricsRollup.sharpe,
            BacktestSession.data_label,
            func.jsonb_build_array(*guards),
            BacktestSession.analysis[(Check.ROLLS_SEEN.value, "passed")],
        )
        .select_from(Bot)
        .join(BotBoundary, current.boundary_of(Bot.id))
        .join(MetricsRollup, current.of_current_epoch(MetricsRollup))
        .join(BacktestSession, current.behind_rollup(Bot))
    )


def since(session: Session, bot: Bot, source: TradeSource) -> Since:
    """Return from when a source's results count."""
    query = (
        select(BotBoundary.epoch, BotBoundary.updated_at, BotVersion.created_at)
        .join(BotVersion, current.version_of(bot))
        .where(current.boundary_of(bot.id, source))
    )
    return Since(*session.execute(query).one())


def trade_sums(session: Session, bot_id: UUID, source: TradeSource, *, epoch: int, entered_from: datetime) -> TradeSums:
    """Sum a source's trades of an epoch that were entered from then on."""
    return sums_over(
        session,
        TradeLog.bot_id == bot_id,
        TradeLog.source == source,
        TradeLog.source != TradeSource.BACKTEST,  # repeated here: the index is partial
        TradeLog.epoch == epoch,
        TradeLog.entry_at >= entered_from,
    )


def equity_days(
    session: Session, bot_id: UUID, source: TradeSource, *, epoch: int, reached_from: datetime
) -> list[DayRow]:
    """Return a source's days of equity of an epoch from then on, in order; of sessions that traded."""
    traded = select(TradeLog.session_id).where(
        TradeLog.bot_id == bot_id, TradeLog.source == source, TradeLog.source != TradeSource.BACKTEST
    )
    query = (
        select(EquityPoint.session_id, EquityPoint.equity_usd, EquityPoint.drawdown_usd)
        .where(
            EquityPoint.session_id.in_(traded),
            EquityPoint.source == source,
            EquityPoint.epoch == epoch,
            EquityPoint.at >= reached_from,
        )
        .order_by(EquityPoint.at, EquityPoint.session_id, EquityPoint.seq)
    )
    return [DayRow(*row) for row in session.execute(query)]


def in_stage_since(session: Session, bot: Bot) -> datetime | None:
    """Return when a bot came into its stage for the last time."""
    query = (
        select(BotStageEvent.created_at)
        .where(BotStageEvent.bot_id == bot.id, BotStageEvent.to_stage == bot.stage)
        .order_by(BotStageEvent.created_at.desc(), BotStageEvent.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def adoption(session: Session, bot: Bot) -> BotImprovement | None:
    """Return the improvement that made the bot's present version in its present BACKTEST epoch."""
    query = (
        select(BotImprovement)
        .join(BotBoundary, current.of_current_epoch(BotImprovement))
        .where(current.of_current_version(BotImprovement, bot), BotImprovement.verdict == ImprovementVerdict.ADOPTED)
        .order_by(BotImprovement.created_at.desc(), BotImprovement.id.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def open_request(session: Session, bot_id: UUID) -> PromotionRequest | None:
    """Return the request that waits for a second person; expired ones too, until somebody says so."""
    query = select(PromotionRequest).where(PromotionRequest.bot_id == bot_id, PromotionRequest.decided_at.is_(None))
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()
