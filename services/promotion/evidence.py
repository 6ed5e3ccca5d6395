"""Evidence for a promotion, gathered from what was stored: nothing is estimated, what isn't there stays None."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from fleet.closed_sets import DataLabel, Stage, TradeSource
from fleet.promotion.evidence import Evidence, EvidenceFigures, Robustness
from services.bots.read import SOURCE_OF_STAGE
from sql.queries.backtests.sessions import TradeSums
from sql.queries.promotion import read as queries
from sql.queries.promotion.read import BacktestRow, DayRow
from sql.tables.bots import Bot
from trading import metrics
from trading.backtest.types import E4, STARTING_CAPITAL_USD
from trading.bars.schema import NS_PER_SECOND, IntArray
from trading.improve.readable import readable
from trading.instruments import get_instrument
from trading.sessions import sessions_within

NO_BACKTEST: Final = "The present version has no backtest since the last reset: grade the bot."


def evidence_of(session: Session, bot: Bot, *, development: bool, now: datetime) -> Evidence:
    """Gather what is known of a bot for the step from its present stage to the next (a unit)."""
    if bot.stage == Stage.LAB:
        row = queries.backtest_of(session, bot.id)
        return of_backtest(row, development=development) if row else _ungraded(bot, development=development)
    return _of_trades(session, bot, development=development, now=now)


def of_backtest(row: BacktestRow, *, development: bool) -> Evidence:
    """Return the evidence of a newest backtest."""
    total = row.total_trades
    figures = EvidenceFigures(
        trades=total,
        losing_trades=row.losses if isinstance(row.losses, int) else None,
        win_rate=metrics.win_rate(row.wins, total),
        max_drawdown_fraction=row.max_drawdown_fraction if total else None,  # who never trades proves no discipline
        profit_factor=row.profit_factor,
        expectancy_usd=metrics.expectancy(row.net_pnl, total),
        sharpe=row.sharpe,
    )
    return Evidence(
        source=TradeSource.BACKTEST,
        figures=figures,
        missing="The newest backtest doesn't record it." if total else "The newest backtest made no trade.",
        created_at=row.created_at,
        development=development,
        data_label=DataLabel(row.data_label) if row.data_label else None,
        look_ahead_passed=_passed(row.guards),
        rolls_seen=_rolls_seen(row),
    )


def _passed(guards: list[object]) -> bool | None:
    """Whether all look-ahead guards passed; None unless all of them were run."""
    return all(guards) if all(isinstance(verdict, bool) for verdict in guards) else None


def _rolls_seen(row: BacktestRow | None) -> bool | None:
    """Whether all its bars name their contracts; None where nobody looked."""
    return row.rolls_seen if row is not None and isinstance(row.rolls_seen, bool) else None


def _ungraded(bot: Bot, *, development: bool) -> Evidence:
    return Evidence(TradeSource.BACKTEST, EvidenceFigures(), NO_BACKTEST, bot.created_at, development)


def _of_trades(session: Session, bot: Bot, *, development: bool, now: datetime) -> Evidence:
    """Return the evidence of a stage's own trades.

    Only those of the present version count: what an older one earned says nothing of this one.
    """
    source = SOURCE_OF_STAGE[Stage(bot.stage)]
    since = queries.since(session, bot, source)
    begun_at = max(since.boundary_at, since.version_at)
    sums = queries.trade_sums(session, bot.id, source, epoch=since.epoch, entered_from=begun_at)
    days = queries.equity_days(session, bot.id, source, epoch=since.epoch, reached_from=begun_at)
    return Evidence(
        source=source,
        figures=_figures(sums, days),
        missing=f"No equity of {source} was stored."
        if sums.total
        else f"No {source} trades since {_minute(begun_at)}.",
        created_at=bot.created_at,
        development=development,
        rolls_seen=_rolls_seen(queries.backtest_of(session, bot.id)),
        trading_days=_trading_days(session, bot, now),
        robustness=_robustness(session, bot),
    )


def _figures(sums: TradeSums, days: list[DayRow]) -> EvidenceFigures:
    closing, deepest = _chained(days)
    return EvidenceFigures(
        trades=sums.total,
        losing_trades=sums.losses,
        win_rate=metrics.win_rate(sums.wins, sums.total),
        max_drawdown_fraction=float(deepest / STARTING_CAPITAL_USD) if days else None,
        profit_factor=metrics.profit_factor(sums.gross_profit, sums.gross_loss),
        expectancy_usd=metrics.expectancy(sums.net_pnl, sums.total),
        sharpe=metrics.sharpe_ratio(np.diff(closing, prepend=0)),
    )


def _chained(days: list[DayRow]) -> tuple[IntArray, Decimal]:
    """Return equity at each stored day, e4, one session going on where the one before ended, and the deepest fall."""
    last_of: dict[object, Decimal] = {}
    closing: list[int] = []
    for day in days:
        last_of[day.session_id] = day.equity_usd
        closing.append(int(sum(last_of.values()) * E4))
    chain = np.array(closing, np.int64)
    falls = [Decimal(int(metrics.drawdowns(chain).max(initial=0))) / E4, *(day.drawdown_usd for day in days)]
    return chain, max(falls)


def _trading_days(session: Session, bot: Bot, now: datetime) -> int | None:
    entered_at = queries.in_stage_since(session, bot)
    if entered_at is None:
        return None
    return sessions_within(get_instrument(bot.symbol), _ns(entered_at), _ns(now))


def _robustness(session: Session, bot: Bot) -> Robustness | None:
    adopted = queries.adoption(session, bot)
    if adopted is None:
        return None
    stress = readable(adopted.evidence).get("stress")
    won = stress.get("tested_net_usd") if isinstance(stress, dict) else None
    return Robustness(
        walk_forward=_number(adopted.evidence.get("consistency")),
        overfit_ratio=_number(adopted.evidence.get("overfit_ratio")),
        stress_usd=Decimal(won) if isinstance(won, str) else None,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * NS_PER_SECOND


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
