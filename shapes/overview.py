"""The fleet at a glance."""

from typing import Final

from pydantic import Field

from fleet.closed_sets import BotState, DataLabel, Stage, Tier
from services.bots.overview import FleetOverview
from shapes.base import Model, Money

NO_RUNNERS: Final = "Runners don't exist yet: no bot trades outside of backtests."


class LabelTotalBody(Model):
    """The bots whose metrics rest on one kind of bars, and the sum of their net P&L."""

    bots: int
    net_pnl: Money


class OverviewBody(Model):
    """Counts of the active bots."""

    total: int
    archived: int
    by_stage: dict[Stage, int] = Field(alias="byStage")
    by_state: dict[BotState, int]
    by_autonomy_tier: dict[Tier, int] = Field(alias="byAutonomyTier")
    not_scored: int = Field(description="Bots without a score since their last reset.")
    by_data_label: dict[DataLabel, LabelTotalBody]
    not_graded: int = Field(description="Bots without metrics since their last reset.")
    alerts: dict[str, int] = Field(description="Bots by code of alert.")
    runners: dict[str, int] | None
    runners_reason: str | None

    @classmethod
    def fields_of(cls, fleet: FleetOverview) -> dict[str, object]:
        """Return the fields of a fleet's overview."""
        counted = {name: getattr(fleet, name) for name in cls.model_fields if hasattr(fleet, name)}
        return counted | {"runners": None, "runners_reason": NO_RUNNERS}
