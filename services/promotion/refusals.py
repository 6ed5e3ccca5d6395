"""Why a stage doesn't change: each refusal says what stands in the way and what to do."""

from datetime import datetime

from core.errors import ErrorCode, FieldProblem, GantryError, Kind
from fleet.closed_sets import Stage
from fleet.promotion.gates import Gate
from fleet.roles import Caller
from sql.tables.bots import Bot
from sql.tables.promotions import PromotionRequest


class GatesNotMet(GantryError):  # noqa: N818 - named for what it is
    """At least one gate isn't met; `gates` are all of them, `details` those that aren't."""

    def __init__(self, bot: Bot, to: Stage, gates: tuple[Gate, ...]) -> None:
        unmet = [gate for gate in gates if not gate.met]
        names = ", ".join(gate.name for gate in unmet)
        super().__init__(
            ErrorCode.GATE_NOT_MET,
            f"{bot.name} doesn't meet {len(unmet)} of {len(gates)} gates of {to}: {names}.",
            fix="Each unmet gate is listed with its observed value and limit; promote again once all are met.",
            kind=Kind.CONFLICT,
            facts={"to": to.value, "gates": [gate.as_json() for gate in unmet]},
            details=tuple(FieldProblem(gate.name.value, ErrorCode.GATE_NOT_MET.value, gate.sentence) for gate in unmet),
        )
        self.gates = gates


def archived(bot: Bot) -> GantryError:
    """Its life is over: CONFLICT."""
    return GantryError(ErrorCode.CONFLICT, f"{bot.name} is archived.", fix="Create a new bot.", kind=Kind.CONFLICT)


def locked(bot: Bot, until: datetime) -> GantryError:
    """Nothing but an admin's revert changes a locked stage: STAGE_LOCKED."""
    return GantryError(
        ErrorCode.STAGE_LOCKED,
        f"The stage of {bot.name} is locked until {until:%Y-%m-%d %H:%M:%S} UTC ({bot.stage_reason_code}).",
        fix="Try again then; only an admin's revert to LAB can change it earlier.",
        kind=Kind.CONFLICT,
        facts={"stage_locked_until": until.isoformat(), "reason_code": bot.stage_reason_code},
    )


def manual(bot: Bot) -> GantryError:
    """No loop promotes it: PROMOTION_MANUAL."""
    return GantryError(
        ErrorCode.PROMOTION_MANUAL,
        f"{bot.name} can only be promoted by a person.",
        fix="Promote it by hand: POST /api/bots/{id}/promote.",
        kind=Kind.CONFLICT,
    )


def not_a_person(by: Caller, stage: Stage) -> GantryError:
    """CANARY and LIVE are closed to a local user without credentials and to loops: FORBIDDEN."""
    return GantryError(
        ErrorCode.FORBIDDEN,
        f"{stage} is entered and left by a person with credentials; you are {by.id}, role {by.role.name}.",
        fix="Send the value of ADMIN_TOKEN in the header X-Admin-Token.",
        kind=Kind.DENIED,
    )


def same_person(request: PromotionRequest) -> GantryError:
    """Who asked can't approve: FORBIDDEN."""
    return GantryError(
        ErrorCode.FORBIDDEN,
        f"{request.requested_by} requested this promotion, so somebody else must approve it.",
        fix="Ask another operator to approve it.",
        kind=Kind.DENIED,
    )


def nothing_to_approve(bot: Bot, why: str) -> GantryError:
    """No request waits: CONFLICT."""
    return GantryError(
        ErrorCode.CONFLICT,
        f"No promotion of {bot.name} waits for approval: {why}.",
        fix="Request one: POST /api/bots/{id}/promote.",
        kind=Kind.CONFLICT,
    )
