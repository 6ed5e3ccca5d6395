"""Promotions, gates and changes of stage."""

from typing import Any, Self
from uuid import UUID

from fleet.closed_sets import PromotionMode, Stage
from fleet.promotion.evaluate import all_met
from fleet.promotion.gates import Gate, GateName, Value
from fleet.stages import StageChange
from services.bots.read import BotView
from services.promotion.decide import Promotion
from services.promotion.read import NextGates
from shapes.base import Instant, Model
from shapes.bots import BotDetailBody


class GateBody(Model):
    """One gate. observed is null where there is nothing to look at, which never meets a gate."""

    gate: GateName
    observed: Value
    limit: Value
    met: bool
    reason: str

    @classmethod
    def of(cls, gate: Gate) -> Self:
        """Show a gate."""
        return cls(gate=gate.name, observed=gate.observed, limit=gate.limit, met=gate.met, reason=gate.reason)


class PromotionRequestBody(Model):
    """A promotion that waits for a second person."""

    id: UUID
    from_stage: Stage
    to_stage: Stage
    requested_by: str
    created_at: Instant
    expires_at: Instant


class PromotionBody(Model):
    """A bot after it was asked to promote it. request: null when it is promoted; else it waits for a second person."""

    data: BotDetailBody
    gates: list[GateBody]
    request: PromotionRequestBody | None

    @classmethod
    def of(cls, view: BotView, done: Promotion) -> Self:
        """Show it."""
        return cls(
            data=BotDetailBody.whole(view),
            gates=[GateBody.of(gate) for gate in done.gates],
            request=PromotionRequestBody.model_validate(done.request) if done.request else None,
        )


class StageEventBody(Model):
    """One change of a bot's stage; its creation has no from_stage."""

    id: UUID
    bot_id: UUID
    from_stage: Stage | None
    to_stage: Stage
    event_type: StageChange
    reason_code: str
    actor: str
    payload_json: dict[str, Any]
    trace_id: str
    created_at: Instant


class NextGatesBody(Model):
    """The gates before a bot's next stage as they stand; next_stage is null from LIVE."""

    stage: Stage
    next_stage: Stage | None
    promotion_mode: PromotionMode
    stage_locked_until: Instant | None
    all_met: bool
    gates: list[GateBody]
    request: PromotionRequestBody | None

    @classmethod
    def of(cls, found: NextGates) -> Self:
        """Show them."""
        return cls(
            stage=found.stage,
            next_stage=found.to,
            promotion_mode=found.promotion_mode,
            stage_locked_until=found.stage_locked_until,
            all_met=all_met(found.gates),
            gates=[GateBody.of(gate) for gate in found.gates],
            request=PromotionRequestBody.model_validate(found.request) if found.request else None,
        )
