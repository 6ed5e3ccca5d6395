"""`gantry autonomy`: a tick by hand, what it found, and why a bot has no job."""

import json

import pytest

from fleet.loops import loops
from sql.engine import Transactions
from sql.queries.planner.snapshot import try_planner_lock
from tests.factories import commands
from tests.factories.rounds import go_round


def run(*args: str) -> int:
    return commands.run(*args, group="autonomy")


def make_bots(count: int) -> None:
    for number in range(count):
        assert commands.run("create", f"bot {number}", "--symbol", "ES", "--strategy", "sma_cross") == 0


def test_a_tick_by_hand_queues_what_is_due_and_its_figures_are_shown(
    capsys: pytest.CaptureFixture[str], tx: Transactions
) -> None:
    make_bots(5)
    go_round(tx)
    capsys.readouterr()
    assert run("tick", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["jobs_enqueued"], made["summary"]["bots_evaluated"]) == (5, 5)
    assert commands.run("list", "--json", group="jobs") == 0
    assert {(job["actor"], job["status"]) for job in json.loads(capsys.readouterr().out)} == {
        ("operator:cli", "QUEUED")
    }
    assert run("show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["latestRun"]["id"], shown["latestRun"]["cause"]) == (made["id"], "PERSON")
    assert shown["latestRun"]["summary"] == made["summary"]
    assert (shown["active"], shown["loop_health"]) == (True, "OK")
    assert run("tick") == 0
    assert "5 bots evaluated, 0 jobs queued" in capsys.readouterr().out
    assert run("show") == 0
    output = capsys.readouterr().out
    assert "no job because   5 ACTIVE_JOB_EXISTS" in output
    assert "not started      2 CAP_REACHED_TYPE" in output
    assert "BACKOFF" not in output
    assert all(name in output for name in loops(10))


def test_bots_are_listed_with_the_reason_of_their_last_decision(capsys: pytest.CaptureFixture[str]) -> None:
    make_bots(4)
    run("tick")
    run("tick")
    capsys.readouterr()
    assert run("bots", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["bot_name"] for row in found} == {f"bot {number}" for number in range(4)}
    assert {row["reason_code"] for row in found} == {"ACTIVE_JOB_EXISTS"}
    assert run("bots", "--reason", "CAP_REACHED_TYPE", "--json") == 0
    assert [row["bot_name"] for row in json.loads(capsys.readouterr().out)] == ["bot 3"]
    assert run("bots", "--bot", "bot 0", "--json") == 0
    assert [row["reason_code"] for row in json.loads(capsys.readouterr().out)] == ["ACTIVE_JOB_EXISTS", "NO_BASELINE"]
    assert run("bots", "--reason", "BACKOFF") == 0
    assert "No matching decisions" in capsys.readouterr().out
    assert run("bots") == 0
    assert "bot 2" in capsys.readouterr().out


def test_before_the_first_tick_nothing_is_claimed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show") == 0
    output = capsys.readouterr().out
    assert "has not run yet" in output
    assert output.count("NEVER") == len(loops(10))


@pytest.mark.parametrize(
    ("args", "output"),
    [(("bots", "--reason", "BECAUSE"), "VALIDATION_FAILED"), (("bots", "--bot", "nobody"), "NOT_FOUND")],
)
def test_a_wrong_question_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], output: str
) -> None:
    assert run(*args) == 1
    assert capsys.readouterr().err.startswith(output)


def test_a_second_planner_is_refused_and_plans_nothing(capsys: pytest.CaptureFixture[str], tx: Transactions) -> None:
    make_bots(1)
    capsys.readouterr()
    with tx() as session:
        assert try_planner_lock(session)
        assert run("tick") == 1
    assert capsys.readouterr().err.startswith("CONFLICT")
    assert commands.run("list", group="jobs") == 0
    assert "No matching jobs" in capsys.readouterr().out
