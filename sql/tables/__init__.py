"""Every table, imported so that the metadata is complete."""

from sql.tables.bars import AcceptedSession, BarsMonth
from sql.tables.base import Base
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from sql.tables.checks import BotChecks
from sql.tables.events import Activity, SystemEventRow
from sql.tables.improvements import BotImprovement, ImprovementProgress
from sql.tables.jobs import BotJob, JobRunEvent
from sql.tables.planner import BotDecision, LoopTick, PlannerRun
from sql.tables.promotions import PromotionRequest
from sql.tables.requests import IdempotencyKey
from sql.tables.resets import BotMetricsEvent
from sql.tables.results import BacktestSession, EquityPoint, TradeLog
from sql.tables.standing import AutonomyScore, MetricsRollup
from sql.tables.usage import BarsFetch, IntegrationUsage
from sql.tables.workers import WorkerRun

__all__ = [
    "AcceptedSession",
    "Activity",
    "AutonomyScore",
    "BacktestSession",
    "BarsFetch",
    "BarsMonth",
    "Base",
    "Bot",
    "BotBoundary",
    "BotChecks",
    "BotDecision",
    "BotImprovement",
    "BotJob",
    "BotMetricsEvent",
    "BotStageEvent",
    "BotVersion",
    "EquityPoint",
    "IdempotencyKey",
    "ImprovementProgress",
    "IntegrationUsage",
    "JobRunEvent",
    "LoopTick",
    "MetricsRollup",
    "PlannerRun",
    "PromotionRequest",
    "SystemEventRow",
    "TradeLog",
    "WorkerRun",
]
