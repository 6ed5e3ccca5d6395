"""Reads of bots with everything a screen shows of them: a fixed number of queries, whatever the page's size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, and_, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from fleet.closed_sets import JobStatus, TradeSource
from sql.tables.bots import Bot, BotBoundary, BotVersion
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore, MetricsRollup

ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class BotFilter:
    """Which bots a list holds; archived ones never."""

    stage: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class After:
    """Where a page of newest-first rows goes on: below this row."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """A bot with its current version, and the rollup, score and data label it has in its current epoch."""

    bot: Bot
    version: BotVersion
    rollup: MetricsRollup | None
    score: AutonomyScore | None
    data_label: str | None


def _rows(which: Select[UUID]) -> Select[Bot, BotVersion, MetricsRollup | None, AutonomyScore | None, str | None]:
    """Each of these bots with its present standing. A rollup of an older epoch or version is not the present one.

    Which bots is settled first, apart: else the planner joins the whole fleet to show fifty of it.
    """
    chosen = which.subquery("chosen")
    rollup = and_(
        MetricsRollup.bot_id == Bot.id,
        MetricsRollup.source == TradeSource.BACKTEST,
        MetricsRollup.epoch == BotBoundary.epoch,
    )
    graded = and_(BacktestSession.id == MetricsRollup.session_id, BacktestSession.version_id == Bot.current_version_id)
    return (
        select(Bot, BotVersion, MetricsRollup, AutonomyScore, BacktestSession.data_label)
        .join(chosen, chosen.c.id == Bot.id)
        .join(BotVersion, BotVersion.id == Bot.current_version_id)
        .join(BotBoundary, and_(BotBoundary.bot_id == Bot.id, BotBoundary.source == TradeSource.BACKTEST))
        .outerjoin(MetricsRollup, rollup)
        .outerjoin(BacktestSession, graded)
        .outerjoin(AutonomyScore, AutonomyScore.bot_id == Bot.id)
    )


def page_bots(session: Session, which: BotFilter, *, after: After | None, limit: int) -> Sequence[Standing]:
    """Return a page of bots, newest first, with one row more than `limit` when there is a next page."""
    query = select(Bot.id).where(Bot.archived_at.is_(None))
    if which.stage is not None:
        query = query.where(Bot.stage == which.stage)
    if which.symbol is not None:
        query = query.where(Bot.symbol == which.symbol)
    if after is not None:
        query = query.where(tuple_(Bot.created_at, Bot.id) < (after.created_at, after.id))
    newest = (Bot.created_at.desc(), Bot.id.desc())
    rows = session.execute(_rows(query.order_by(*newest).limit(limit + 1)).order_by(*newest))
    return [_standing(row) for row in rows]


def one_bot(session: Session, bot_id: UUID) -> Standing | None:
    """Return one bot, archived or not, with its present standing."""
    row = session.execute(_rows(select(Bot.id).where(Bot.id == bot_id))).one_or_none()
    return _standing(row) if row else None


def some_bots(session: Session, bot_ids: Sequence[UUID]) -> Sequence[Standing]:
    """Return these bots, archived or not, with their present standing, by id."""
    return [
        _standing(row) for row in session.execute(_rows(select(Bot.id).where(Bot.id.in_(bot_ids))).order_by(Bot.id))
    ]


def bot_id_of(session: Session, name: str) -> UUID | None:
    """Return the id of the active bot of that name."""
    return session.scalar(select(Bot.id).where(Bot.name == name, Bot.archived_at.is_(None)))


def _standing(row: Row[Bot, BotVersion, MetricsRollup | None, AutonomyScore | None, str | None]) -> Standing:
    bot, version, rollup, score, label = row
    # A completed session has a label; without one, the rollup is of an older version's session.
    present = rollup if label is not None else None
    rests_on_it = score is not None and score.session_id == (present.session_id if present else None)
    return Standing(bot, version, present, score if rests_on_it else None, label)


def newest_jobs(session: Session, bot_ids: Sequence[UUID]) -> Sequence[BotJob]:
    """Return each bot's newest job. An active one is always the newest: only a bot without one gets a new one."""
    # One index probe a bot, however many jobs it has had and however many bots there are.
    newest = (
        select(BotJob)
        .where(BotJob.bot_id == Bot.id)
        .order_by(BotJob.created_at.desc(), BotJob.id.desc())
        .limit(1)
        .correlate(Bot)
        .lateral()
    )
    job = aliased(BotJob, newest)
    return session.scalars(select(job).select_from(Bot).join(newest, true()).where(Bot.id.in_(bot_ids))).all()


def rollups_of(session: Session, bot_ids: Sequence[UUID]) -> Sequence[MetricsRollup]:
    """Return the bots' rollups of the current epochs of every source but BACKTEST."""
    query = (
        select(MetricsRollup)
        .join(
            BotBoundary,
            and_(
                BotBoundary.bot_id == MetricsRollup.bot_id,
                BotBoundary.source == MetricsRollup.source,
                BotBoundary.epoch == MetricsRollup.epoch,
            ),
        )
        .where(MetricsRollup.bot_id.in_(bot_ids), MetricsRollup.source != TradeSource.BACKTEST)
    )
    return session.scalars(query).all()


def score_of(session: Session, bot_id: UUID) -> AutonomyScore | None:
    """Return a bot's score."""
    return session.scalars(select(AutonomyScore).where(AutonomyScore.bot_id == bot_id)).one_or_none()


def page_jobs(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Sequence[BotJob]:
    """Return a page of a bot's jobs, newest first, with one row more when there is a next page."""
    query = select(BotJob).where(BotJob.bot_id == bot_id)
    if after is not None:
        query = query.where(tuple_(BotJob.created_at, BotJob.id) < (after.created_at, after.id))
    return session.scalars(query.order_by(BotJob.created_at.desc(), BotJob.id.desc()).limit(limit + 1)).all()
