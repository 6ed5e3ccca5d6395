"""What is asked to make a bot, or to change one."""

from pydantic import BaseModel, ConfigDict, Field

from fleet.closed_sets import PromotionMode
from services.bots.change import BotChange
from services.bots.create import NewBot

MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
Scalar = str | int | float | bool


class CostsRequest(BaseModel):
    """Costs of each fill; what is left out is the instrument's default."""

    model_config = ConfigDict(extra="forbid", strict=True)

    slippage_ticks: int | None = Field(None, description="Ticks against the trader on market and stop fills.")
    commission_usd: str | None = Field(None, description='Per contract and side, e.g. "2.25".')
    contracts: int | None = Field(None, description="Contracts per entry.")


class WindowRequest(BaseModel):
    """Months graded on, inclusive; null: all there is."""

    model_config = ConfigDict(extra="forbid")

    start: str | None = Field(None, pattern=MONTH)
    end: str | None = Field(None, pattern=MONTH)


class NewBotRequest(BaseModel):
    """A bot to make. It starts in LAB and is promoted by hand only."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    symbol: str = Field(max_length=20)
    strategy: str = Field(max_length=100)
    timeframe: str = Field("1m", max_length=10)
    params: dict[str, Scalar] = Field(default_factory=dict, description="Of the strategy; the rest are its defaults.")
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
    """Costs that are to be different; null means the instrument's default again."""


class WindowChange(WindowRequest):
    """Ends of the window that are to be different; null means all there is."""


class BotChangeRequest(BaseModel):
    """What is to be different. Everything but name and promotion mode makes a new version, graded anew."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default_factory=str, min_length=1, max_length=100)
    timeframe: str = Field(default_factory=str, max_length=10)
    params: dict[str, Scalar] = Field(default_factory=dict, description="Those named change, the others stay.")
    costs: CostsChange = Field(default_factory=CostsChange)
    window: WindowChange = Field(default_factory=WindowChange)
    promotion_mode: PromotionMode = Field(
        PromotionMode.MANUAL, description="AUTO: the planner promotes the bot once its gates are met."
    )

    def to_change(self) -> BotChange:
        """Return what the service takes: only what was sent."""
        return BotChange(**self.model_dump(exclude_unset=True))
