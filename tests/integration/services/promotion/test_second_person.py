"""CANARY takes a second person, another one than who asked, within a day, while the gates are still met."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import MetricsScope, Stage, TradeSource
from fleet.promotion.evaluate import all_met
from fleet.promotion.gates import LIMITS
from fleet.roles import Caller, Role
from services.promotion.refusals import GatesNotMet
from services.resets.reset import ResetRequest, reset_metrics
from services.resets.revert import revert_to_lab
from sql.engine import Transactions
from tests.factories.bots import NOW
from tests.factories.databases import OwnerSql
from tests.factories.promotions import adopted, put_in, traded
from tests.factories.stage_changes import HERE, MUCH_LATER, OTHER, PERSON, approve, demote, gates, promote, sound


@pytest.fixture
def nearly_canary(tx: Transactions, ready: UUID) -> UUID:
    """A bot in SHADOW that meets every gate of CANARY but the second person."""
    bot_id = ready
    with tx() as session:
        bot = put_in(session, bot_id, Stage.SHADOW, at=NOW + timedelta(hours=1))
        traded(session, bot, TradeSource.SHADOW, LIMITS[Stage.CANARY].trades)
        adopted(session, bot)
    return bot_id


def test_canary_takes_a_second_person_who_approves_within_a_day(
    tx: Transactions, nearly_canary: UUID, owner_sql: OwnerSql
) -> None:
    asked = promote(tx, nearly_canary, PERSON, now=MUCH_LATER)
    assert asked.request is not None
    assert [gate.name for gate in asked.gates if not gate.met] == ["SECOND_PERSON"]
    assert owner_sql("SELECT stage, revision FROM bots") == [("SHADOW", 1)]
    again = promote(tx, nearly_canary, PERSON, now=MUCH_LATER + timedelta(hours=1))
    assert again.request is not None
    assert again.request.id == asked.request.id
    waiting = gates(tx, nearly_canary, now=MUCH_LATER).request
    assert waiting is not None
    assert (waiting.id, waiting.requested_by, waiting.to_stage) == (asked.request.id, PERSON.id, "CANARY")
    for by in (PERSON, Caller("planner", Role.ADMIN, credentials=True, automatic=True)):
        with pytest.raises(GantryError) as same:
            approve(tx, nearly_canary, by)
        assert same.value.code is ErrorCode.FORBIDDEN
    with pytest.raises(GantryError) as outsider:
        approve(tx, nearly_canary, HERE)
    assert outsider.value.code is ErrorCode.FORBIDDEN
    done = approve(tx, nearly_canary, OTHER, now=MUCH_LATER + timedelta(hours=23))
    assert (done.to, all_met(done.gates)) == (Stage.CANARY, True)
    decided = owner_sql("SELECT outcome, requested_by, decided_by FROM promotion_requests")
    assert decided == [("APPROVED", "operator:one", "operator:two")]
    [(actor, payload)] = owner_sql(
        "SELECT actor, payload_json FROM bot_stage_events WHERE to_stage = 'CANARY' AND event_type = 'PROMOTED'"
    )
    assert (actor, payload["requested_by"], payload["request_id"]) == (OTHER.id, PERSON.id, str(asked.request.id))
    assert gates(tx, nearly_canary, now=MUCH_LATER).request is None
    assert sound(tx)


def test_an_approval_looks_at_the_gates_again(tx: Transactions, nearly_canary: UUID, owner_sql: OwnerSql) -> None:
    promote(tx, nearly_canary, PERSON, now=MUCH_LATER)
    with tx() as session:
        reset_metrics(session, ResetRequest(MetricsScope.ALL, None, "TEST"), dry_run=False, actor="a", now=MUCH_LATER)
    with pytest.raises(GatesNotMet) as refused:
        approve(tx, nearly_canary)
    assert {"TRADES", "WALK_FORWARD", "OVERFIT_RATIO"} <= {gate.name for gate in refused.value.gates if not gate.met}
    assert owner_sql("SELECT stage FROM bots") == [("SHADOW",)]
    with pytest.raises(GatesNotMet):
        promote(tx, nearly_canary, OTHER, now=MUCH_LATER)


def test_nothing_is_approved_that_nobody_asked_for_or_too_late_or_after_the_bot_moved(
    tx: Transactions, nearly_canary: UUID, owner_sql: OwnerSql
) -> None:
    with pytest.raises(GantryError, match="nobody asked"):
        approve(tx, nearly_canary)
    first = promote(tx, nearly_canary, PERSON, now=MUCH_LATER).request
    next_day = MUCH_LATER + timedelta(hours=24)
    with pytest.raises(GantryError, match="no longer valid"):
        approve(tx, nearly_canary, now=next_day)
    second = promote(tx, nearly_canary, OTHER, now=next_day).request
    assert first is not None
    assert second is not None
    assert owner_sql("SELECT id, outcome FROM promotion_requests ORDER BY created_at") == [
        (first.id, "EXPIRED"),
        (second.id, None),
    ]
    demote(tx, nearly_canary, PERSON, now=next_day)
    assert owner_sql("SELECT outcome, decided_by FROM promotion_requests WHERE id = %s", second.id) == [
        ("WITHDRAWN", PERSON.id)
    ]


def test_what_was_asked_for_before_a_revert_is_void_even_back_in_the_same_stage(
    tx: Transactions, nearly_canary: UUID
) -> None:
    promote(tx, nearly_canary, PERSON, now=MUCH_LATER)
    with tx() as session:
        revert_to_lab(session, None, lock_hours=0, reason_code="TEST", dry_run=False, actor="admin", now=MUCH_LATER)
    with pytest.raises(GantryError, match="no longer valid"):
        approve(tx, nearly_canary)
    with tx() as session:
        back_at = session.execute(text("SELECT clock_timestamp() + interval '10 minutes'")).scalar_one()
        put_in(session, nearly_canary, Stage.SHADOW, at=back_at)
    with pytest.raises(GantryError, match="no longer valid"):
        approve(tx, nearly_canary)
    assert gates(tx, nearly_canary, now=MUCH_LATER).request is None


def test_a_database_in_which_one_person_approves_their_own_wish_can_not_be(
    tx: Transactions, nearly_canary: UUID
) -> None:
    promote(tx, nearly_canary, PERSON, now=MUCH_LATER)
    statement = "UPDATE promotion_requests SET outcome = 'APPROVED', decided_by = requested_by, decided_at = now()"
    with pytest.raises(IntegrityError, match="two_people"), tx() as session:
        session.execute(text(statement))
