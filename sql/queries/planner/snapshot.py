"""What the planner reads of the fleet: a fixed number of statements, whatever the number of bots and of their jobs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import exists, func, lateral, select, text, true
from sqlalchemy.orm import Session

from fleet.closed_sets import JobType, Stage, TradeSource
from fleet.jobs import ACTIVE, TERMINAL
from sql.month_lock import FETCH_LOCK
from sql.queries import current
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from sql.tables.improvements import BotImprovement
from sql.tables.jobs import BotJob
from sql.tables.planner import BotDecision, PlannerRun
from sql.tables.resets import BotMetricsEvent
from sql.tables.results import BacktestSession
from sql.tables.standing import MetricsRollup

PLANNER_LOCK: Final = 0x706C_616E  # "plan"
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
# A fetch holds its symbol's lock while it asks a provider: sql.month_lock.
_FETCHING: Final = text(
    """
    SELECT s.symbol FROM (SELECT DISTINCT symbol FROM bots WHERE archived_at IS NULL) s JOIN pg_locks l
      ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = :fetch_lock
     AND l.objid = (hashtext(s.symbol)::bigint & 4294967295)
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)


def bots(session: Session) -> Sequence[Any]:
    """Return every bot, archived ones included, with its version, its BACKTEST boundary and when it came into LAB."""
    into_lab = lateral(
        select(BotStageEvent.created_at.label("at"))
        .where(BotStageEvent.bot_id == Bot.id, BotStageEvent.to_stage == Stage.LAB)
        .order_by(BotStageEvent.created_at.desc())
        .limit(1)
    ).alias("into_lab")
    query = (
        select(
            Bot.id,
            Bot.symbol,
            Bot.stage,
            Bot.archived_at,
            Bot.stage_locked_until,
            Bot.promotion_mode,
            Bot.created_at,
            BotVersion.id.label("version_id"),
            BotVersion.created_at.label("version_at"),
            BotVersion.window["start"].astext.label("window_start"),
            BotVersion.window["end"].astext.label("window_end"),
            BotBoundary.epoch,
            BotBoundary.updated_at.label("boundary_at"),
            into_lab.c.at.label("lab_since"),
        )
        .join(BotVersion, current.version_of(Bot))
        .join(BotBoundary, current.boundary_of(Bot.id))
        .outerjoin(into_lab, true())
    )
    return session.execute(query).all()


def active_jobs(session: Session) -> Sequence[Any]:
    """Return the active jobs of all bots, with the bots' symbols."""
    query = (
        select(BotJob.bot_id, BotJob.job_type, BotJob.status, BotJob.created_at, BotJob.not_before, Bot.symbol)
        .join(Bot, Bot.id == BotJob.bot_id)
        .where(BotJob.status.in_(ACTIVE))
    )
    return session.execute(query).all()


def ended_jobs(session: Session, job_type: JobType) -> Sequence[Any]:
    """Return each active bot's newest job of a type that ended."""
    ended = (
        select(
            BotJob.bot_id,
            BotJob.root_job_id,
            BotJob.kind,
            BotJob.status,
            BotJob.error_code,
            BotJob.attempt,
            BotJob.max_attempts,
            BotJob.completed_at,
            BotJob.version_id,
            BotJob.epoch,
            BotJob.session_id,
            BotJob.bars_generation,
        )
        .where(BotJob.bot_id == Bot.id, BotJob.job_type == job_type, BotJob.status.in_(TERMINAL))
        .order_by(BotJob.created_at.desc(), BotJob.id.desc())
        .limit(1)
    )
    newest = lateral(ended).alias("newest")
    query = select(newest).select_from(Bot).join(newest, true()).where(Bot.archived_at.is_(None))
    return session.execute(query).all()


def baselines(session: Session) -> Sequence[Any]:
    """Return, of bots whose BACKTEST metrics count, the session they are of and what its job was made on.

    Its version too: bots are read by another statement, and may have got a new one in between.
    """
    query = (
        select(
            MetricsRollup.bot_id,
            MetricsRollup.session_id,
            MetricsRollup.total_trades,
            BacktestSession.version_id,
            BacktestSession.completed_at,
            BacktestSession.window_end,
            BotJob.bars_generation,
        )
        .join(BotBoundary, current.of_current_epoch(MetricsRollup))
        .join(BacktestSession, BacktestSession.id == MetricsRollup.session_id)
        .join(BotJob, BotJob.id == BacktestSession.job_id)
        .where(MetricsRollup.source == TradeSource.BACKTEST)
    )
    return session.execute(query).all()


def improvements(session: Session, *, most: int) -> Sequence[Any]:
    """Return each active bot's newest improvements that came to a verdict, newest first, at most `most` of each."""
    newest = lateral(
        select(BotImprovement.bot_id, BotImprovement.job_type, BotImprovement.verdict, BotImprovement.created_at)
        .where(BotImprovement.bot_id == Bot.id)
        .order_by(BotImprovement.created_at.desc(), BotImprovement.id.desc())
        .limit(most)
    ).alias("newest")
    query = select(newest).select_from(Bot).join(newest, true()).where(Bot.archived_at.is_(None))
    return session.execute(query.order_by(newest.c.bot_id, newest.c.created_at.desc())).all()


def fetching(session: Session) -> frozenset[str]:
    """Return the symbols of bots of which a fetch is under way at this moment, in any process."""
    return frozenset(session.scalars(_FETCHING, {"fetch_lock": FETCH_LOCK}))


def decisions(session: Session) -> Sequence[Any]:
    """Return what was last decided of each bot."""
    newest = lateral(
        select(
            BotDecision.bot_id,
            BotDecision.enqueued,
            BotDecision.reason_code,
            BotDecision.not_started,
        )
        .where(BotDecision.bot_id == Bot.id)
        .order_by(BotDecision.created_at.desc(), BotDecision.id.desc())
        .limit(1)
    ).alias("newest")
    return session.execute(select(newest).select_from(Bot).join(newest, true())).all()


def try_planner_lock(session: Session) -> bool:
    """Take the planner's lock until the transaction ends; False while another one plans."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(PLANNER_LOCK))))


def reset_since_last_tick(session: Session) -> bool:
    """Whether metrics were reset after the newest tick began: it can't have seen that."""
    newest = select(func.max(PlannerRun.started_at)).scalar_subquery()
    query = select(exists().where(BotMetricsEvent.created_at >= func.coalesce(newest, LONG_AGO)))
    return bool(session.scalar(query))


def stage_changed_since_last_tick(session: Session) -> bool:
    """Whether a bot came into a stage (its creation included) after the newest tick began."""
    newest = select(func.max(PlannerRun.started_at)).scalar_subquery()
    query = select(exists().where(BotStageEvent.created_at >= func.coalesce(newest, LONG_AGO)))
    return bool(session.scalar(query))
