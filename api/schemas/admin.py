"""Bulk changes of an admin, as requested and answered."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.envelope import Envelope
from fleet.closed_sets import MetricsScope
from fleet.resets import LOCK_HOURS, MAX_LOCK_HOURS, RESET_REASON, REVERT_REASON
from services.resets.reset import ResetRequest
from shapes.resets import ResetMetricsBody, RevertToLabBody

MOST_BOTS = 20_000
BotIds = list[UUID] | None


class ResetMetricsRequest(BaseModel):
    """Which metrics to reset, and of which bots."""

    model_config = ConfigDict(extra="forbid")

    scope: MetricsScope = Field(MetricsScope.ALL, description="Which sources are covered.")
    bot_ids: BotIds = Field(None, alias="botIds", description="Null: all active bots.", max_length=MOST_BOTS)
    reason_code: str = Field(RESET_REASON, alias="reasonCode", min_length=1, max_length=100)
    rebase_equity: bool = Field(
        True, alias="alsoResetEquityCurves", description="Restart equity curves at the boundary.", strict=True
    )
    dry_run: bool = Field(False, alias="dryRun", description="Show the effect and change nothing.", strict=True)

    def to_request(self) -> ResetRequest:
        """Return what the service takes."""
        ids = None if self.bot_ids is None else tuple(self.bot_ids)
        return ResetRequest(self.scope, ids, self.reason_code, self.rebase_equity)


class RevertToLabRequest(BaseModel):
    """Which bots to move back to LAB."""

    model_config = ConfigDict(extra="forbid")

    bot_ids: BotIds = Field(None, alias="botIds", description="Null: all active bots.", max_length=MOST_BOTS)
    dry_run: bool = Field(alias="dryRun", description="Show the effect and change nothing.", strict=True)
    lock_hours: int = Field(LOCK_HOURS, alias="lockHours", ge=0, le=MAX_LOCK_HOURS, strict=True)
    reason_code: str = Field(REVERT_REASON, alias="reasonCode", min_length=1, max_length=100)


class ResetMetricsReply(ResetMetricsBody, Envelope):
    """What a reset did. request_id is in every audit row."""


class RevertToLabReply(RevertToLabBody, Envelope):
    """What a revert did. Stage counts are of the bots it covered."""
