"""The starter pack as requested and answered."""

from pydantic import BaseModel, ConfigDict, Field

from api.envelope import Envelope
from fleet.starter import DEFAULT_BOTS, MAX_BOTS
from shapes.starter import StarterPackBody


class StarterPackRequest(BaseModel):
    """What the pack contains."""

    model_config = ConfigDict(extra="forbid")

    reset_existing: bool = Field(
        False,
        alias="resetExisting",
        description="Reset the metrics of the pack's bots; each gets a new baseline.",
        strict=True,
    )
    symbols: list[str] | None = Field(
        None, description="By default the symbols that have bars; without any, ES NQ CL GC 6E.", max_length=100
    )
    count: int | None = Field(
        None, description=f"Number of bots in the pack, {DEFAULT_BOTS} by default.", ge=1, le=MAX_BOTS, strict=True
    )


class StarterPackReply(StarterPackBody, Envelope):
    """The pack as it is now; the first two numbers count what this request added."""
