"""Requests to create or change a bot."""

from pydantic import BaseModel, ConfigDict, Field

from fleet.closed_sets import PromotionMode
from services.bots.change import BotChange
from services.bots.create import NewBot

MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
Scalar = str | int | float | bool


class CostsRequest(BaseModel):
    """Costs of each fill; omitted fields use the instrument's default."""

    model_config = ConfigDict(extra="forbid", strict=True)

    slippage_ticks: int | None = Field(None, description="Slippage of market and stop fills, in ticks.")
    commission_usd: str | None = Field(None, description='Per contract and side, e.g. "2.25".')
    contracts: int | None = Field(None, description="Contracts per entry.")


class WindowRequest(BaseModel):
    """Months to grade on, inclusive; null means all available."""

    model_config = ConfigDict(extra="forbid")

    start: str | None = Field(None, pattern=MONTH)
    end: str | None = Field(None, pattern=MONTH)


class NewBotRequest(BaseModel):
    """A bot to create. It starts in LAB with manual promotion."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    symbol: str = Field(max_length=20)
    strategy: str = Field(max_length=100)
    timeframe: str = Field("1m", max_length=10)
    params: dict[str, Scalar] = Field(default_factory=dict, description="Of the strategy; others use its defaults.")
    costs: CostsRequest = Field(default_factory=CostsRequest)
    window: WindowRequest = Field(default_factory=WindowRequest)

    def to_new_bot(self) -> NewBot:
        """Return what the service takes."""
        return NewBot(
            name=self.name,
            symbol=self.symbol,
            strategy=self.strategy,
            timeframe=self.timeframe,
            params=self.params,
            costs=self.costs.model_dump(exclude_none=True),
            window_start=self.window.start,
            window_end=self.window.end,
        )


class CostsChange(CostsRequest):
    """Costs to change; null means the instrument's default."""


class WindowChange(WindowRequest):
    """Ends of the window to change; null means all available."""


class BotChangeRequest(BaseModel):
    """What to change. Changes other than name and promotion mode create a new version, which is graded again."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default_factory=str, min_length=1, max_length=100)
    timeframe: str = Field(default_factory=str, max_length=10)
    params: dict[str, Scalar] = Field(default_factory=dict, description="Named parameters change, the others stay.")
    costs: CostsChange = Field(default_factory=CostsChange)
    window: WindowChange = Field(default_factory=WindowChange)
    promotion_mode: PromotionMode = Field(
        PromotionMode.MANUAL, description="AUTO: the planner promotes the bot once its gates are met."
    )

    def to_change(self) -> BotChange:
        """Return what the service takes: only what was sent."""
        return BotChange(**self.model_dump(exclude_unset=True))
