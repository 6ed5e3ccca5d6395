"""Statements of a chunk before it is graded: what it is made on, and which refreshes would find what is there."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Uuid, column, select, update, values
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, SessionStatus, TradeSource
from sql.queries import current
from sql.tables.bots import BotBoundary
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.standing import MetricsRollup


def note_generation(session: Session, held: Mapping[UUID, UUID], made_on: str) -> None:
    """Note on RUNNING jobs (token by job) what bars and suppliers there are as they begin."""
    rows = values(column("job_id", Uuid), column("token", Uuid), name="held").data(sorted(held.items()))
    query = (
        update(BotJob)
        .where(BotJob.id == rows.c.job_id, BotJob.status == JobStatus.RUNNING, BotJob.lease_token == rows.c.token)
        .values(bars_generation=made_on)
        .execution_options(synchronize_session=False)
    )
    session.execute(query)


def standing_sessions(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BacktestSession]:
    """Return the COMPLETED sessions that these bots' BACKTEST metrics are of in the current epoch, by bot.

    Of any version: a job compares it with its own, which need not be the current one any more.
    """
    query = (
        select(BacktestSession)
        .join(MetricsRollup, MetricsRollup.session_id == BacktestSession.id)
        .join(BotBoundary, current.of_current_epoch(MetricsRollup))
        .where(
            MetricsRollup.bot_id.in_(bot_ids),
            MetricsRollup.source == TradeSource.BACKTEST,
            BacktestSession.status == SessionStatus.COMPLETED,
        )
    )
    return {row.bot_id: row for row in session.scalars(query)}
