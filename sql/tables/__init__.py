"""Every table, imported so that the metadata is complete."""

from sql.tables.bars import BarsMonth
from sql.tables.base import Base
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from sql.tables.events import Activity, SystemEventRow
from sql.tables.jobs import BotJob, JobRunEvent
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import AutonomyScore, MetricsRollup

__all__ = [
    "Activity",
    "AutonomyScore",
    "BacktestSession",
    "BarsMonth",
    "Base",
    "Bot",
    "BotBoundary",
    "BotJob",
    "BotStageEvent",
    "BotVersion",
    "EquityPoint",
    "JobRunEvent",
    "MetricsRollup",
    "SystemEventRow",
    "TradeLog",
]
