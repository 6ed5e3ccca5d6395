"""Every table, imported so that the metadata is complete."""

from sql.tables.bars import BarsMonth
from sql.tables.base import Base
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from sql.tables.events import Activity, SystemEventRow
from sql.tables.jobs import BotJob, JobRunEvent
from sql.tables.requests import IdempotencyKey
from sql.tables.resets import BotMetricsEvent
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import AutonomyScore, MetricsRollup
from sql.tables.usage import BarsFetch, IntegrationUsage
from sql.tables.workers import WorkerRun

__all__ = [
    "Activity",
    "AutonomyScore",
    "BacktestSession",
    "BarsFetch",
    "BarsMonth",
    "Base",
    "Bot",
    "BotBoundary",
    "BotJob",
    "BotMetricsEvent",
    "BotStageEvent",
    "BotVersion",
    "EquityPoint",
    "IdempotencyKey",
    "IntegrationUsage",
    "JobRunEvent",
    "MetricsRollup",
    "SystemEventRow",
    "TradeLog",
    "WorkerRun",
]
