"""Every table, imported so that the metadata is complete."""

from sql.tables.bars import BarsMonth
from sql.tables.base import Base
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from sql.tables.events import Activity, SystemEventRow
from sql.tables.jobs import BotJob, JobRunEvent
from sql.tables.requests import IdempotencyKey
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import AutonomyScore, MetricsRollup
from sql.tables.workers import WorkerRun

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
    "IdempotencyKey",
    "JobRunEvent",
    "MetricsRollup",
    "SystemEventRow",
    "TradeLog",
    "WorkerRun",
]
