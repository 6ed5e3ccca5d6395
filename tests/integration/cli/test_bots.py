"""`gantry bots` and `gantry jobs` on a database of its own: the same services, printed on a console."""

import json

import pytest

from core.errors import ErrorCode, GantryError
from fleet.caps import Caps
from services.jobs.claim import claim_chunk
from services.jobs.finish import fail_job
from services.jobs.lease import LeaseTerms
from sql.engine import Transactions
from tests.factories.commands import run


def test_a_bot_is_created_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("create", "alpha", "--symbol", "ES", "--strategy", "sma_cross", "--param", "fast=10", "--json") == 0
    created = json.loads(capsys.readouterr().out)
    assert created["params"] == {"fast": 10, "slow": 100}
    assert created["botNow"]["state"] == "IDLE"
    assert run("list", "--json") == 0
    assert [bot["id"] for bot in json.loads(capsys.readouterr().out)] == [created["id"]]
    assert run("show", "alpha") == 0
    assert "NEEDS_BACKTEST" in capsys.readouterr().out
    assert run("list") == 0
    assert "alpha" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "output"),
    [
        (("show", "nobody"), "NOT_FOUND"),
        (("lineage", "nobody"), "NOT_FOUND"),
        (("list", "--stage", "MOON"), "VALIDATION_FAILED"),
        (("create", "x", "--symbol", "XX", "--strategy", "sma_cross"), "VALIDATION_FAILED"),
        (("create", "x", "--symbol", "ES", "--strategy", "sma_cross", "--param", "fast"), "VALIDATION_FAILED"),
        (("create", "x", "--symbol", "ES", "--strategy", "sma_cross", "--commission", "much"), "VALIDATION_FAILED"),
    ],
)
def test_a_failure_is_one_clear_line_and_exit_code_one(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], output: str
) -> None:
    assert run(*args) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(output)
    assert "Fix:" in captured.err
    assert captured.out == ""


def test_a_starter_pack_is_made_once_and_its_jobs_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("starter-pack", "--symbol", "ES", "--symbol", "6E", "--count", "3", "--json") == 0
    pack = json.loads(capsys.readouterr().out)
    assert (pack["made_bots"], pack["made_jobs"], len(pack["bots"])) == (3, 3, 3)
    assert run("starter-pack", "--symbol", "ES", "--symbol", "6E", "--count", "3") == 0
    assert "0 bots created, 0 baselines queued; the pack has 3 bots." in capsys.readouterr().out
    assert run("list", "--json", group="jobs") == 0
    assert [job["id"] for job in json.loads(capsys.readouterr().out)] == [job["id"] for job in pack["jobs"]][::-1]
    assert run("list", "--bot", "ES sma_cross 1", "--status", "QUEUED", "--limit", "1", group="jobs") == 0
    captured = capsys.readouterr()
    assert "ES sma_cross 1" in captured.out
    assert captured.err == "These are the newest 1 jobs; a larger --limit may show more.\n"
    assert run("list", group="jobs") == 0
    assert capsys.readouterr().err == ""
    assert run("show", pack["jobs"][0]["id"], "--json", group="jobs") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["job"]["bot"] == "ES sma_cross 1"
    assert [(row["from_status"], row["to_status"], row["reason_code"]) for row in shown["ledger"]] == [
        (None, "QUEUED", "REQUESTED")
    ]


def test_the_second_attempt_at_a_backtest_shows_as_x2(tx: Transactions, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("starter-pack", "--symbol", "ES", "--count", "1") == 0
    assert run("list") == 0
    assert "BACKTEST_QUEUED x1" in capsys.readouterr().out
    with tx() as session:
        (claimed,) = claim_chunk(session, caps=Caps(), most=1, terms=LeaseTerms(), run_id="killed")
        died = GantryError(ErrorCode.RUN_FAILED, "The run died.", fix="Look at its log.")
        fail_job(session, claimed, died, session_id=None)
    assert run("list") == 0
    assert "BACKTEST_QUEUED x2" in capsys.readouterr().out
    assert run("show", "ES sma_cross 1") == 0
    assert "BACKTEST_QUEUED x2" in capsys.readouterr().out


def test_an_archived_bot_is_listed_no_more_and_its_job_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("starter-pack", "--symbol", "ES", "--count", "1", "--json") == 0
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    assert run("archive", "ES sma_cross 1", "--json") == 0
    bot_id = json.loads(capsys.readouterr().out)["id"]
    assert run("archive", bot_id) == 0
    assert run("show", job["id"], group="jobs") == 0
    assert "QUEUED -> CANCELED   ARCHIVED" in capsys.readouterr().out
    assert run("list", "--status", "QUEUED", group="jobs") == 0
    assert "No matching jobs" in capsys.readouterr().out
    assert run("list") == 0
    assert "no bots" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "output"),
    [
        (("list", "--status", "DONE"), "VALIDATION_FAILED"),
        (("list", "--limit", "0"), "VALIDATION_FAILED"),
        (("list", "--bot", "nobody"), "NOT_FOUND"),
        (("show", "no-id"), "VALIDATION_FAILED"),
        (("show", "019a0000-0000-7000-8000-000000000000"), "NOT_FOUND"),
    ],
)
def test_a_wrong_question_about_jobs_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], output: str
) -> None:
    assert run(*args, group="jobs") == 1
    assert capsys.readouterr().err.startswith(output)


def test_an_empty_fleet_is_reported_and_is_not_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "no bots" in capsys.readouterr().out
