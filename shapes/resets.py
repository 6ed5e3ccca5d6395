"""What a reset of metrics or a revert to LAB did, or would do."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from fleet.closed_sets import MetricsScope, Stage
from services.resets.reset import BotEffect, ResetReport
from services.resets.revert import RevertReport
from shapes.base import Model


class BotEffectBody(Model):
    """What was done to one bot, or would be."""

    bot_id: UUID
    name: str
    before: dict[str, Any]
    after: dict[str, Any]

    @classmethod
    def of(cls, effect: BotEffect) -> Self:
        """Show an effect."""
        return cls(bot_id=effect.bot_id, name=effect.name, before=effect.before, after=effect.after)


class ResetMetricsBody(Model):
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


class RevertToLabBody(Model):
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
