"""Promotions as requested and answered."""

from pydantic import BaseModel, ConfigDict, Field

from api.envelope import Envelope, ErrorBody
from services.promotion.decide import DEMOTED
from shapes.promotion import GateBody, PromotionBody


class DemoteRequest(BaseModel):
    """Why a bot is demoted."""

    model_config = ConfigDict(extra="forbid")

    reason_code: str = Field(DEMOTED, alias="reasonCode", min_length=1, max_length=100)


class PromotionReply(PromotionBody, Envelope):
    """The bot after it. request: null when it is promoted; else it waits for a second person, and the status is 202."""


class PromotionRefused(ErrorBody):
    """Why a stage doesn't change; every gate with what was observed and its limit when they are the reason."""

    gates: list[GateBody] = Field(default_factory=list)
