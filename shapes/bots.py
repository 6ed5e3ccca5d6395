"""The bot object: as lists show it, and whole."""

from typing import Any
from uuid import UUID

from pydantic import Field

from fleet.bot_now import AlertLevel
from fleet.closed_sets import BotState, DataLabel, JobStatus, JobType, PromotionMode, Stage, Tier
from services.bots.read import BotSummary, BotView
from shapes.base import Instant, Model
from shapes.metrics import MetricsBody


class ActiveJobBody(Model):
    """The job a bot is busy with."""

    id: UUID
    type: JobType
    status: JobStatus
    attempt: int
    iteration: int
    created_at: Instant = Field(alias="createdAt")
    started_at: Instant | None = Field(alias="startedAt")
    elapsed_seconds: int = Field(alias="elapsedSeconds")


class AlertBody(Model):
    """Something a person should know of a bot."""

    level: AlertLevel
    code: str
    message: str


class BotNowBody(Model):
    """What a bot is doing at this moment: the only source of its badge."""

    state: BotState
    active_job: ActiveJobBody | None = Field(alias="activeJob")
    is_new: bool = Field(alias="isNew")
    alerts: list[AlertBody]


class BotBody(Model):
    """One bot."""

    id: UUID
    name: str
    symbol: str
    timeframe: str
    strategy: str
    version: int
    stage: Stage
    stage_reason_code: str | None
    stage_locked_until: Instant | None
    promotion_mode: PromotionMode
    created_at: Instant
    metrics_reset_at: Instant | None
    metrics: MetricsBody
    autonomy_score: float | None
    autonomy_score_max: float | None = Field(
        description="The score that the best results could have now: subscores that nothing can earn yet add nothing."
    )
    autonomy_tier: Tier | None
    data_label: DataLabel | None
    bot_now: BotNowBody = Field(alias="botNow")
    revision: int
    archived_at: Instant | None = Field(description="When it was archived: its job was canceled, its results stay.")

    @classmethod
    def of(cls, view: BotSummary) -> "BotBody":
        """Show a bot: its fields are the view's, read in one go, since a page shows hundreds."""
        return cls.model_validate(view)


class BotDetailBody(BotBody):
    """One bot with what its current version is made of and why its score is what it is."""

    params: dict[str, Any]
    costs: dict[str, Any]
    window: dict[str, Any]
    autonomy_breakdown: dict[str, Any] | None
    session_id: UUID | None

    @classmethod
    def whole(cls, view: BotView) -> "BotDetailBody":
        """Show a bot whole."""
        return cls.model_validate(view)
