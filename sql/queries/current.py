"""What counts of a bot now: its current version, the current epoch of a source, and the newest completed session.

A change of strategy or parameters makes a new version (`Bot.current_version_id`); a reset begins a new epoch of a
source (`BotBoundary.epoch`). Rows of earlier versions and epochs stay stored and count no more. This module is the only
home of that rule. It holds conditions to join by, not whole statements: one bot, a page and the whole fleet are read by
statements of different shapes, and each keeps its own speed.

The invariants in `sql.queries.proof` state the rule again in SQL of their own: a checker must not share the code that
it checks.
"""

from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, and_

from fleet.closed_sets import SessionStatus, TradeSource
from sql.tables.bots import Bot, BotBoundary, BotVersion
from sql.tables.checks import BotChecks
from sql.tables.improvements import BotImprovement
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.standing import MetricsRollup

OfVersion: TypeAlias = type[BacktestSession] | type[BotJob] | type[BotImprovement] | type[BotChecks]
OfEpoch: TypeAlias = OfVersion | type[MetricsRollup]


def version_of(bot: type[Bot] | Bot) -> ColumnElement[bool]:
    """Match BotVersion: the bot's current version."""
    return BotVersion.id == bot.current_version_id


def boundary_of(
    bot_id: SQLColumnExpression[UUID] | UUID, source: TradeSource = TradeSource.BACKTEST
) -> ColumnElement[bool]:
    """Match BotBoundary: the bot's boundary of a source, which holds the current epoch; there is always one."""
    return and_(BotBoundary.bot_id == bot_id, BotBoundary.source == source)


def of_current_version(rows: OfVersion, bot: type[Bot] | Bot = Bot) -> ColumnElement[bool]:
    """Match rows to their bot where they are of its current version. bot: the joined table, or one bot."""
    return and_(rows.bot_id == bot.id, rows.version_id == bot.current_version_id)


def of_current_epoch(rows: OfEpoch) -> ColumnElement[bool]:
    """Match rows to their BotBoundary where they are of the current epoch of their source.

    Sessions, jobs, improvements and checks are of BACKTEST; a rollup names its source.
    """
    source = MetricsRollup.source if rows is MetricsRollup else TradeSource.BACKTEST
    return and_(BotBoundary.bot_id == rows.bot_id, BotBoundary.source == source, BotBoundary.epoch == rows.epoch)


def on_equity_curve() -> ColumnElement[bool]:
    """Match sessions to their BotBoundary where the equity curve shows them: a reset may leave equity as it was."""
    return and_(boundary_of(BacktestSession.bot_id), BacktestSession.epoch >= BotBoundary.equity_epoch)


def behind_rollup(bot: type[Bot]) -> ColumnElement[bool]:
    """Match BacktestSession: the one that the joined BACKTEST rollup rests on, where it is of the current version.

    The rollup names the newest completed session, so that nobody has to look for it. After a change of the version it
    rests on a session of an older one until the bot is graded again.
    """
    return and_(BacktestSession.id == MetricsRollup.session_id, BacktestSession.version_id == bot.current_version_id)


def completed_of(bot_id: UUID) -> ColumnElement[bool]:
    """Match BacktestSession: the bot's COMPLETED ones. One that FAILED never takes the place of an older one."""
    return and_(BacktestSession.bot_id == bot_id, BacktestSession.status == SessionStatus.COMPLETED)
