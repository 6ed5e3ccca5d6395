"""Statements of resets and reverts, each for all bots at once. Locks: bots by id, then jobs by id, as everywhere."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fleet.closed_sets import PromotionMode, Stage, TradeSource
from sql.queries import current
from sql.tables.bots import Bot, BotBoundary
from sql.tables.standing import MetricsRollup


class BacktestTotals(NamedTuple):
    """What a bot's BACKTEST metrics say, USD."""

    net_pnl: Decimal
    total_trades: int


def lock_bots(session: Session, bot_ids: Collection[UUID] | None) -> Sequence[Bot]:
    """Return active bots, these or all, locked by id until the transaction ends.

    Not FOR UPDATE: a row that refers to a bot, such as the retry of a job that rescue holds, needn't wait for this.
    """
    query = select(Bot).where(Bot.archived_at.is_(None)).order_by(Bot.id).with_for_update(key_share=True)
    if bot_ids is not None:
        query = query.where(Bot.id.in_(bot_ids))
    return session.scalars(query.execution_options(populate_existing=True)).all()


def epochs(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, dict[str, int]]:
    """Return the epoch of every source of these bots."""
    query = select(BotBoundary.bot_id, BotBoundary.source, BotBoundary.epoch).where(BotBoundary.bot_id.in_(bot_ids))
    found: dict[UUID, dict[str, int]] = {}
    for bot_id, source, epoch in session.execute(query.order_by(BotBoundary.bot_id, BotBoundary.source)):
        found.setdefault(bot_id, {})[source] = epoch
    return found


def grow_epochs(
    session: Session,
    bot_ids: Sequence[UUID],
    sources: Collection[TradeSource],
    *,
    event_id: UUID,
    rebase_equity: bool,
    now: datetime,
) -> None:
    """Begin a new epoch of these sources: what was counted so far counts no more."""
    grown = BotBoundary.epoch + 1
    query = (
        update(BotBoundary)
        .where(BotBoundary.bot_id.in_(bot_ids), BotBoundary.source.in_(sources))
        .values(
            epoch=grown,
            equity_epoch=grown if rebase_equity else BotBoundary.equity_epoch,
            event_id=event_id,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(query)


def backtest_figures(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BacktestTotals]:
    """Return net P&L and trades of the bots' BACKTEST rollups of the current epoch, of whatever version."""
    query = (
        select(MetricsRollup.bot_id, MetricsRollup.net_pnl, MetricsRollup.total_trades)
        .join(BotBoundary, current.of_current_epoch(MetricsRollup))
        .where(MetricsRollup.bot_id.in_(bot_ids), MetricsRollup.source == TradeSource.BACKTEST)
    )
    return {bot_id: BacktestTotals(net_pnl, trades) for bot_id, net_pnl, trades in session.execute(query)}


def note_reset(session: Session, bot_ids: Sequence[UUID], values: Mapping[str, Any]) -> None:
    """Write the latest reset on the bots themselves."""
    query = update(Bot).where(Bot.id.in_(bot_ids)).values(**values).execution_options(synchronize_session=False)
    session.execute(query)


def revert(
    session: Session, bot_ids: Sequence[UUID], *, reason_code: str, locked_until: datetime, now: datetime
) -> None:
    """Put bots into LAB, promoted by hand only, locked until then."""
    query = (
        update(Bot)
        .where(Bot.id.in_(bot_ids))
        .values(
            stage=Stage.LAB,
            promotion_mode=PromotionMode.MANUAL,
            stage_reason_code=reason_code,
            stage_locked_until=locked_until,
            revision=Bot.revision + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(query)
