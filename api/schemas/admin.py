"""Bulk changes of an admin, as they are asked for and answered."""

from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.envelope import Envelope, Model
from fleet.closed_sets import MetricsScope, Stage
from fleet.resets import LOCK_HOURS, MAX_LOCK_HOURS, RESET_REASON, REVERT_REASON
from services.resets.reset import BotEffect, ResetReport, ResetRequest
from services.resets.revert import RevertReport

MOST_BOTS = 20_000
BotIds = list[UUID] | None


class ResetMetricsRequest(BaseModel):
    """Which metrics are to start anew, and whose."""

    model_config = ConfigDict(extra="forbid")

    scope: MetricsScope = Field(MetricsScope.ALL, description="Which sources are covered.")
    bot_ids: BotIds = Field(None, alias="botIds", description="Null: all active bots.", max_length=MOST_BOTS)
    reason_code: str = Field(RESET_REASON, alias="reasonCode", min_length=1, max_length=100)
    rebase_equity: bool = Field(
        True, alias="alsoResetEquityCurves", description="Let equity curves begin anew with the boundary.", strict=True
    )
    dry_run: bool = Field(False, alias="dryRun", description="Show the effect and change nothing.", strict=True)

    def to_request(self) -> ResetRequest:
        """Return what the service takes."""
        ids = None if self.bot_ids is None else tuple(self.bot_ids)
        return ResetRequest(self.scope, ids, self.reason_code, self.rebase_equity)


class RevertToLabRequest(BaseModel):
    """Which bots are to go back into LAB."""

    model_config = ConfigDict(extra="forbid")

    bot_ids: BotIds = Field(None, alias="botIds", description="Null: all active bots.", max_length=MOST_BOTS)
    dry_run: bool = Field(alias="dryRun", description="Show the effect and change nothing.", strict=True)
    lock_hours: int = Field(LOCK_HOURS, alias="lockHours", ge=0, le=MAX_LOCK_HOURS, strict=True)
    reason_code: str = Field(REVERT_REASON, alias="reasonCode", min_length=1, max_length=100)


class BotEffectBody(Model):
    """What was done to one bot, or would be."""

    bot_id: UUID
    before: dict[str, Any]
    after: dict[str, Any]

    @classmethod
    def of(cls, effect: BotEffect) -> Self:
        """Show an effect."""
        return cls(bot_id=effect.bot_id, before=effect.before, after=effect.after)


class ResetMetricsReply(Envelope):
    """What a reset did. request_id stands in every audit row."""

    request_id: UUID
    dry_run: bool
    scope: MetricsScope
    reason_code: str
    affected_count: int
    bots: list[BotEffectBody]

    @classmethod
    def of(cls, report: ResetReport) -> Self:
        """Show a report."""
        return cls(
            request_id=report.request_id,
            dry_run=report.dry_run,
            scope=report.scope,
            reason_code=report.reason_code,
            affected_count=len(report.bots),
            bots=[BotEffectBody.of(one) for one in report.bots],
        )


class RevertToLabReply(Envelope):
    """What a revert did. Stage counts are of the bots it covered."""

    request_id: UUID
    dry_run: bool
    scope: str = Field(description="BOTS where some were named, else ALL.")
    reason_code: str
    affected_count: int
    bots: list[BotEffectBody]
    stage_counts_before: dict[Stage, int]
    stage_counts_after: dict[Stage, int]

    @classmethod
    def of(cls, report: RevertReport, *, named: bool) -> Self:
        """Show a report."""
        return cls(
            request_id=report.request_id,
            dry_run=report.dry_run,
            scope="BOTS" if named else "ALL",
            reason_code=report.reason_code,
            affected_count=len(report.bots),
            bots=[BotEffectBody.of(one) for one in report.bots],
            stage_counts_before=dict(report.stage_counts_before),
            stage_counts_after=dict(report.stage_counts_after),
        )
