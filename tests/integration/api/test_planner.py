"""`/api/scheduler/status`: which loops run, and which have stopped."""

import pytest
from sqlalchemy import Engine

from services.planner.loops import round_of
from sql.engine import Transactions
from tests.factories.api import Api, create
from tests.factories.databases import OwnerSql
from tests.factories.rounds import LOOPS, go_round, tick
from tests.factories.statements import statements

PATH = "/api/scheduler/status"


def test_before_anything_ran_nothing_is_claimed(api: Api) -> None:
    status = api.get(PATH).json()
    assert (status["active"], status["last_tick_at"], status["loop_health"]) == (False, None, "NEVER")
    assert (status["daemon"]["last_heartbeat_at"], status["daemon"]["healthy"]) == (None, False)
    assert status["daemon"]["reason"]
    assert [(loop["loop"], loop["health"]) for loop in status["loops"]] == [(name, "NEVER") for name in LOOPS]
    assert status["planner"]["last_run_id"] is None
    assert status["planner"]["reason"]
    assert status["circuit_breakers"] == []
    assert status["circuit_breakers_reason"]


def test_running_loops_are_shown_with_their_last_message(api: Api, tx: Transactions) -> None:
    create(api)
    made = tick(tx)
    go_round(tx)
    status = api.get(PATH).json()
    assert (status["active"], status["loop_health"]) == (True, "OK")
    by_name = {loop["loop"]: loop for loop in status["loops"]}
    planner = by_name["autonomy_tick"]
    assert status["last_tick_at"] == planner["last_tick_at"]
    assert (planner["every_seconds"], planner["message"], planner["error"]) == (10, "autonomy_tick went round", None)
    assert 0 <= planner["age_seconds"] < 30
    assert status["daemon"] == {
        "last_heartbeat_at": max(loop["last_tick_at"] for loop in status["loops"]), "healthy": True, "reason": None,
    }  # fmt: skip
    assert (status["planner"]["last_run_id"], status["planner"]["jobs_enqueued"]) == (str(made.id), 1)
    assert status["planner"]["reason"] is None


def test_a_loop_that_raised_fails_and_says_why_while_the_daemon_lives(api: Api, tx: Transactions) -> None:
    go_round(tx)
    with pytest.raises(ZeroDivisionError), round_of(tx, "workers_alive", every_s=2):
        _ = 1 // 0
    status = api.get(PATH).json()
    assert (status["active"], status["loop_health"], status["daemon"]["healthy"]) == (True, "FAILING", True)
    (failing,) = [loop for loop in status["loops"] if loop["health"] != "OK"]
    assert (failing["loop"], failing["health"]) == ("workers_alive", "FAILING")
    assert "ZeroDivisionError" in failing["error"]


def test_a_planner_that_stopped_is_not_active_though_the_others_go_on(
    api: Api, tx: Transactions, owner_sql: OwnerSql
) -> None:
    go_round(tx)
    owner_sql("UPDATE loop_ticks SET ticked_at = now() - interval '51 seconds' WHERE loop = 'autonomy_tick'")
    status = api.get(PATH).json()
    assert (status["active"], status["loop_health"], status["daemon"]["healthy"]) == (False, "STOPPED", True)


def test_a_daemon_whose_loops_all_stopped_is_dead(api: Api, tx: Transactions, owner_sql: OwnerSql) -> None:
    go_round(tx)
    owner_sql("UPDATE loop_ticks SET ticked_at = now() - interval '1 hour'")
    status = api.get(PATH).json()
    assert {loop["health"] for loop in status["loops"]} == {"STOPPED"}
    assert status["daemon"]["healthy"] is False
    assert status["daemon"]["last_heartbeat_at"] is not None


def test_a_loop_nobody_knows_any_more_is_not_shown(api: Api, tx: Transactions) -> None:
    with round_of(tx, "of_an_older_release", every_s=1):
        pass
    assert [loop["loop"] for loop in api.get(PATH).json()["loops"]] == list(LOOPS)


def test_the_status_takes_two_queries(api: Api, engine: Engine, tx: Transactions) -> None:
    go_round(tx)
    with statements(engine) as seen:
        api.get(PATH)
    assert len(seen) == 2
