"""Promotion through gates and demotion, one stage at a time; CANARY and LIVE take a second person."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import invalid
from fleet.closed_sets import PromotionMode, Stage
from fleet.promotion.evaluate import all_met, evaluate
from fleet.promotion.evidence import Evidence
from fleet.promotion.gates import Gate, GateName
from fleet.roles import Caller, Role
from fleet.stages import STAGE_TRANSITIONS, StageChange, check_stage
from services.bots.change import StaleRevision
from services.finding import unknown_bot
from services.promotion import refusals
from services.promotion.evidence import evidence_of
from services.promotion.read import is_stale
from services.promotion.stage_change import (
    APPROVED,
    EXPIRED,
    WITHDRAWN,
    StageMove,
    ask_second_person,
    change_stage,
    close_request,
)
from sql.queries.bots import change as change_queries
from sql.queries.promotion import read as queries
from sql.tables.bots import Bot
from sql.tables.promotions import PromotionRequest

GATES_MET: Final = "GATES_MET"
DEMOTED: Final = "DEMOTED_BY_PERSON"
GUARDED: Final = frozenset({Stage.CANARY, Stage.LIVE})  # entered and left with credentials only


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of it: every gate, and the request when it waits for a second person, else None: it is done."""

    to: Stage
    gates: tuple[Gate, ...]
    request: PromotionRequest | None


def promote(
    session: Session,
    bot_id: UUID,
    *,
    by: Caller,
    now: datetime,
    development: bool,
    revisions: frozenset[int] | None = None,
    seen: Stage | None = None,
) -> Promotion:
    """Promote a bot by one stage, or for CANARY and LIVE ask a second person to (a unit: the caller commits).

    by: a loop is `Caller.automatic`. development: imported bars are evidence too, and simulated ones if a person
    promotes; the audit row names the label. revisions: those the caller means; None for any. seen: the stage it was in
    when the caller decided this; None for any.

    Raises:
        GantryError: NOT_FOUND; FORBIDDEN; CONFLICT for an archived bot, for LIVE, for another stage than was seen, and
            as StaleRevision for another revision; STAGE_LOCKED; PROMOTION_MANUAL; GATE_NOT_MET as GatesNotMet.

    """
    bot = _changeable(session, bot_id, StageChange.PROMOTED, by, revisions, now)
    if seen is not None and bot.stage != seen:
        raise StaleRevision(bot)
    to = _next(bot)
    if by.automatic and bot.promotion_mode == PromotionMode.MANUAL:
        raise refusals.manual(bot)
    known = evidence_of(session, bot, development=development, now=now)
    evidence = replace(known, requested_by=by.id, automatic=by.automatic)
    gates = evaluate(to, evidence, now)
    open_request = queries.open_request(session, bot.id)
    if {gate.name for gate in gates if not gate.met} == {GateName.SECOND_PERSON}:
        if open_request is None or is_stale(session, bot, open_request, now):
            close_request(session, open_request, EXPIRED, actor=by.id, now=now)
            open_request = ask_second_person(session, bot, to, gates, actor=by.id, now=now)
        return Promotion(to, gates, open_request)
    if not all_met(gates):
        raise refusals.GatesNotMet(bot, to, gates)
    close_request(session, open_request, WITHDRAWN, actor=by.id, now=now)
    _promote(session, bot, to, gates, by, now, _rested_on(evidence))
    return Promotion(to, gates, None)


def approve(
    session: Session,
    bot_id: UUID,
    *,
    by: Caller,
    now: datetime,
    development: bool,
    revisions: frozenset[int] | None = None,
) -> Promotion:
    """Promote a bot as somebody else requested; the gates are evaluated again (a unit: the caller commits).

    Raises:
        GantryError: as `promote`; FORBIDDEN for who asked; CONFLICT when nothing waits for approval.

    """
    bot = _changeable(session, bot_id, StageChange.PROMOTED, by, revisions, now)
    to = _next(bot)
    request = queries.open_request(session, bot.id)
    if request is None:
        raise refusals.nothing_to_approve(bot, "nobody asked")
    if is_stale(session, bot, request, now):
        raise refusals.nothing_to_approve(bot, f"the request by {request.requested_by} is no longer valid")
    if by.automatic or by.id == request.requested_by:
        raise refusals.same_person(request)
    evidence = evidence_of(session, bot, development=development, now=now)
    gates = evaluate(to, replace(evidence, requested_by=request.requested_by, approved_by=by.id), now)
    if not all_met(gates):
        raise refusals.GatesNotMet(bot, to, gates)
    close_request(session, request, APPROVED, actor=by.id, now=now)
    reported = {"request_id": str(request.id), "requested_by": request.requested_by, **_rested_on(evidence)}
    _promote(session, bot, to, gates, by, now, reported)
    return Promotion(to, gates, None)


def demote(
    session: Session,
    bot_id: UUID,
    *,
    by: Caller,
    now: datetime,
    reason_code: str = DEMOTED,
    revisions: frozenset[int] | None = None,
) -> Stage:
    """Take a bot back by one stage; return the stage it is in now (a unit: the caller commits).

    A person's demotion makes promotion MANUAL: no loop undoes what a person did.

    Raises:
        GantryError: NOT_FOUND; VALIDATION_FAILED for an impossible reason; FORBIDDEN; CONFLICT for an archived bot,
            for LAB, and as StaleRevision for another revision; STAGE_LOCKED.

    """
    if not 1 <= len(reason_code) <= 100 or not reason_code.isprintable() or not reason_code.isascii():
        raise invalid("A reason code has 1 to 100 printable characters.", fix="Correct it.", field="reasonCode")
    bot = _changeable(session, bot_id, StageChange.DEMOTED, by, revisions, now)
    to = STAGE_TRANSITIONS[StageChange.DEMOTED][Stage(bot.stage)]
    close_request(session, queries.open_request(session, bot.id), WITHDRAWN, actor=by.id, now=now)
    mode = None if by.automatic else PromotionMode.MANUAL
    change_stage(session, bot, StageMove(StageChange.DEMOTED, to, reason_code, by.id, mode), now=now)
    return to


def _changeable(
    session: Session, bot_id: UUID, change: StageChange, by: Caller, revisions: frozenset[int] | None, now: datetime
) -> Bot:
    """Lock a bot and see that the caller may make this change of it now."""
    bot = change_queries.lock_bot(session, bot_id)
    if bot is None:
        raise unknown_bot(bot_id)
    if bot.archived_at is not None:
        raise refusals.archived(bot)
    here = Stage(bot.stage)
    there = STAGE_TRANSITIONS[change].get(here)
    if by.role < Role.OPERATOR or ({here, there} & GUARDED and not by.credentials):
        raise refusals.not_a_person(by, there or here)
    if revisions is not None and bot.revision not in revisions:
        raise StaleRevision(bot)
    if there is None:
        check_stage(change, here, here)
    if bot.stage_locked_until is not None and bot.stage_locked_until > now:
        raise refusals.locked(bot, bot.stage_locked_until)
    return bot


def _next(bot: Bot) -> Stage:
    return STAGE_TRANSITIONS[StageChange.PROMOTED][Stage(bot.stage)]


def _rested_on(evidence: Evidence) -> Mapping[str, Any]:
    """Return the label of the bars, for the audit row; nothing where the figures are a stage's own trades."""
    return {"data_label": evidence.data_label.value} if evidence.data_label else {}


def _promote(
    session: Session,
    bot: Bot,
    to: Stage,
    gates: tuple[Gate, ...],
    by: Caller,
    now: datetime,
    reported: Mapping[str, Any],
) -> None:
    payload = {"gates": [gate.as_json() for gate in gates], **reported}
    change_stage(session, bot, StageMove(StageChange.PROMOTED, to, GATES_MET, by.id, None, payload), now=now)
