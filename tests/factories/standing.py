"""What a bot has standing: a completed backtest with its rollup, and what makes it count no more."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, SessionStatus, TradeSource
from sql.tables.bots import Bot, BotBoundary
from sql.tables.results import BacktestSession
from sql.tables.standing import MetricsRollup
from tests.factories.bots import NOW, a_version
from tests.factories.jobs import make_job
from tests.factories.results import make_session


def stand(session: Session, bot: Bot, *, trades: int, minute: int = 0) -> BacktestSession:
    """Store a completed session of the bot's present version and epoch, and the rollup that rests on it."""
    epoch = session.get_one(BotBoundary, (bot.id, TradeSource.BACKTEST)).epoch
    stored = make_session(session, bot, trades=trades, epoch=epoch, created_at=NOW + timedelta(minutes=minute))
    make_rollup(session, bot, trades=trades, epoch=epoch, session_id=stored.id)
    return stored


def make_rollup(
    session: Session,
    bot: Bot,
    *,
    trades: int,
    epoch: int = 0,
    source: TradeSource = TradeSource.BACKTEST,
    **changes: Any,
) -> MetricsRollup:
    """Store a bot's rollup of a source, in place of the one before."""
    values: dict[str, Any] = {
        "session_id": None,
        "wins": trades,
        "net_pnl": Decimal(trades),
        "open_pnl": Decimal(0),
        "gross_profit": Decimal(trades),
        "gross_loss": Decimal(0),
        "max_drawdown_usd": Decimal(0),
        "max_drawdown_fraction": 0.0,
        "sharpe": 9.0,
        "profit_factor": 9.0,
    }
    row = MetricsRollup(bot_id=bot.id, source=source, epoch=epoch, total_trades=trades, **(values | changes))
    kept = session.merge(row)
    session.flush()
    return kept


def fail(session: Session, bot: Bot, *, minute: int) -> BacktestSession:
    """Store a FAILED session of the bot's present version and epoch."""
    without = dict.fromkeys(("total_trades", "net_pnl", "gross_pnl", "commission", "max_drawdown_usd", "metrics"))
    return make_session(
        session,
        bot,
        trades=0,
        epoch=session.get_one(BotBoundary, (bot.id, TradeSource.BACKTEST)).epoch,
        status=SessionStatus.FAILED,
        error_code="STRATEGY_ERROR",
        job_id=make_job(session, bot, JobStatus.FAILED).id,
        created_at=NOW + timedelta(minutes=minute),
        **without,
    )


def begin_epoch(session: Session, bot: Bot, source: TradeSource = TradeSource.BACKTEST, *, equity: bool = True) -> None:
    """Begin a new epoch of a source, as a reset does. equity: whether the equity curve restarts too."""
    boundary = session.get_one(BotBoundary, (bot.id, source))
    boundary.epoch += 1
    if equity:
        boundary.equity_epoch = boundary.epoch
    session.flush()


def begin_version(session: Session, bot: Bot, *, number: int = 2) -> None:
    """Give the bot another version."""
    version = a_version(bot, number=number)
    session.add(version)
    session.flush()
    bot.current_version_id = version.id
    session.flush()
