"""A stage changes one step at a time, by who may, under no lock, and each change has its one audit row."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import BacktestKind, PromotionMode, Stage
from fleet.promotion.evaluate import all_met
from fleet.roles import PLANNER, Caller, Role
from services.bots.change import StaleRevision, archive_bot
from services.jobs.enqueue import enqueue_job
from services.jobs.read import get_job
from services.promotion.refusals import GatesNotMet
from services.resets.revert import revert_to_lab
from sql.engine import Transactions
from tests.factories.bots import NOW
from tests.factories.databases import OwnerSql
from tests.factories.promotions import put_in
from tests.factories.stage_changes import DOWN, HERE, LATER, MUCH_LATER, PERSON, UP, demote, promote, set_bot, sound


def test_a_bot_that_meets_every_gate_is_promoted_with_one_audit_row_that_holds_them(
    tx: Transactions, ready: UUID, owner_sql: OwnerSql
) -> None:
    done = promote(tx, ready)
    assert (done.to, done.request, all_met(done.gates)) == (Stage.PAPER, None, True)
    bots = owner_sql("SELECT stage, stage_reason_code, promotion_mode, revision, updated_at FROM bots")
    assert bots == [("PAPER", "GATES_MET", "MANUAL", 2, LATER)]
    [(old, new, kind, reason, actor, payload, trace)] = owner_sql(
        "SELECT from_stage, to_stage, event_type, reason_code, actor, payload_json, trace_id FROM bot_stage_events "
        "WHERE event_type <> 'CREATED'"
    )
    assert (old, new, kind, reason, actor) == ("LAB", "PAPER", "PROMOTED", "GATES_MET", "operator:local")
    assert payload["gates"] == [gate.as_json() for gate in done.gates]
    reported = owner_sql("SELECT payload, trace_id FROM activity_events WHERE event_type = 'STAGE_CHANGED'")
    assert reported == [
        ({"from_stage": "LAB", "to_stage": "PAPER", "reason_code": "GATES_MET", "revision": 2}, trace),
    ]
    assert sound(tx)


@pytest.mark.parametrize(("here", "there"), list(product(Stage, Stage)))
def test_a_promotion_leads_one_stage_up_and_nowhere_else(
    tx: Transactions, ready: UUID, here: Stage, there: Stage
) -> None:
    with tx() as session:
        put_in(session, ready, here, at=NOW + timedelta(hours=1))
    if here is Stage.LIVE:
        with pytest.raises(GantryError, match="PROMOTED is not possible from LIVE") as refused:
            promote(tx, ready, PERSON)
        assert refused.value.code is ErrorCode.CONFLICT
    elif here is Stage.LAB:
        assert (promote(tx, ready).to is there) is (there is Stage.PAPER)
    else:
        with pytest.raises(GatesNotMet) as unmet_gates:
            promote(tx, ready, PERSON)
        assert (unmet_gates.value.facts["to"] == there) is (UP[here] is there)
    assert sound(tx)


@pytest.mark.parametrize(("here", "there"), list(product(Stage, Stage)))
def test_a_demotion_leads_one_stage_down_and_nowhere_else(
    tx: Transactions, bot_id: UUID, owner_sql: OwnerSql, here: Stage, there: Stage
) -> None:
    with tx() as session:
        put_in(session, bot_id, here, at=NOW + timedelta(hours=1), promotion_mode="AUTO")
    if here is Stage.LAB:
        with pytest.raises(GantryError, match="DEMOTED is not possible from LAB"):
            demote(tx, bot_id)
        return
    assert (demote(tx, bot_id, reason_code="TIRED") is there) is (DOWN[here] is there)
    rows = owner_sql("SELECT from_stage, to_stage, reason_code FROM bot_stage_events WHERE event_type = 'DEMOTED'")
    assert rows == [(here, DOWN[here], "TIRED")]
    assert owner_sql("SELECT stage, promotion_mode, revision FROM bots") == [(DOWN[here], "MANUAL", 2)]
    assert sound(tx)


@pytest.mark.parametrize("reason", ["", "x" * 101, "bell\x07", "naïve"])
def test_a_reason_that_is_none_is_refused(tx: Transactions, bot_id: UUID, reason: str) -> None:
    with tx() as session:
        put_in(session, bot_id, Stage.PAPER, at=NOW)
    with pytest.raises(GantryError) as refused:
        demote(tx, bot_id, reason_code=reason)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED


@pytest.mark.parametrize("act", [promote, demote])
def test_an_archived_an_unknown_and_a_changed_bot_stay_as_they_are(
    tx: Transactions, ready: UUID, owner_sql: OwnerSql, act: Any
) -> None:
    with pytest.raises(GantryError) as unknown:
        act(tx, new_id())
    assert unknown.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(StaleRevision):
        act(tx, ready, revisions=frozenset({7}))
    with tx() as session:
        archive_bot(session, ready, actor="test", now=NOW)
    with pytest.raises(GantryError, match="is archived"):
        act(tx, ready)
    assert owner_sql("SELECT stage FROM bots") == [("LAB",)]


def test_while_the_stage_is_locked_nothing_but_the_revert_changes_it(tx: Transactions, ready: UUID) -> None:
    set_bot(tx, ready, stage_locked_until=LATER)
    for by, now in product((HERE, PERSON, PLANNER), (NOW, LATER - timedelta(microseconds=1))):
        with pytest.raises(GantryError) as refused:
            promote(tx, ready, by, now=now)
        assert refused.value.code is ErrorCode.STAGE_LOCKED
    assert promote(tx, ready, now=LATER).to is Stage.PAPER
    set_bot(tx, ready, stage_locked_until=MUCH_LATER)
    with pytest.raises(GantryError) as held:
        demote(tx, ready)
    assert held.value.code is ErrorCode.STAGE_LOCKED


def test_after_a_revert_the_lock_then_the_mode_hold_the_planner_and_a_person_comes_to_the_gates(
    tx: Transactions, ready: UUID, owner_sql: OwnerSql
) -> None:
    set_bot(tx, ready, promotion_mode=PromotionMode.AUTO)
    with tx() as session:
        revert_to_lab(session, None, lock_hours=24, reason_code="TEST", dry_run=False, actor="admin", now=NOW)
    for by in (PLANNER, HERE):
        with pytest.raises(GantryError) as locked:
            promote(tx, ready, by, now=NOW + timedelta(hours=23))
        assert locked.value.code is ErrorCode.STAGE_LOCKED
    with pytest.raises(GantryError) as manual:
        promote(tx, ready, PLANNER)
    assert manual.value.code is ErrorCode.PROMOTION_MANUAL
    assert owner_sql("SELECT stage FROM bots") == [("LAB",)]
    assert promote(tx, ready).to is Stage.PAPER
    assert sound(tx)


def test_the_planner_promotes_a_bot_whose_mode_is_auto(tx: Transactions, ready: UUID, owner_sql: OwnerSql) -> None:
    set_bot(tx, ready, promotion_mode=PromotionMode.AUTO)
    assert promote(tx, ready, PLANNER).to is Stage.PAPER
    rows = owner_sql("SELECT actor FROM bot_stage_events WHERE event_type = 'PROMOTED'")
    assert rows == [("planner",)]
    assert owner_sql("SELECT promotion_mode FROM bots") == [("AUTO",)]


def test_a_viewer_changes_no_stage(tx: Transactions, ready: UUID) -> None:
    viewer = Caller("viewer", Role.VIEWER, credentials=True)
    for act in (promote, demote):
        with pytest.raises(GantryError) as refused:
            act(tx, ready, viewer)
        assert refused.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("by", [HERE, PLANNER])
@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.CANARY, Stage.LIVE])
def test_canary_and_live_are_entered_and_left_with_credentials_only(
    tx: Transactions, bot_id: UUID, stage: Stage, by: Caller
) -> None:
    with tx() as session:
        put_in(session, bot_id, stage, at=NOW, promotion_mode="AUTO")
    for act in (promote, demote):
        if (act, stage) == (demote, Stage.SHADOW):
            continue
        with pytest.raises(GantryError) as refused:
            act(tx, bot_id, by)
        assert refused.value.code is ErrorCode.FORBIDDEN


def test_a_bot_that_leaves_lab_takes_no_job_along(tx: Transactions, ready: UUID, owner_sql: OwnerSql) -> None:
    with tx() as session:
        job_id = enqueue_job(session, ready, kind=BacktestKind.MANUAL, actor="test")
    promote(tx, ready)
    with tx() as session:
        assert get_job(session, job_id).status == "CANCELED"
    rows = owner_sql("SELECT job_id FROM job_run_events WHERE reason_code = 'LEFT_LAB'")
    assert rows == [(job_id,)]
    [(payload,)] = owner_sql("SELECT payload_json FROM bot_stage_events WHERE event_type = 'PROMOTED'")
    assert payload["canceled_job_ids"] == [str(job_id)]
    assert sound(tx)


def test_of_promotions_at_once_one_is_made(tx: Transactions, ready: UUID, owner_sql: OwnerSql) -> None:
    def attempt(_number: int) -> str:
        try:
            return promote(tx, ready).to.value
        except GatesNotMet as refused:
            return str(refused.facts["to"])

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == ["PAPER", "SHADOW", "SHADOW", "SHADOW"]
    assert owner_sql("SELECT count(*) FROM bot_stage_events WHERE event_type = 'PROMOTED'") == [(1,)]
    assert sound(tx)
