"""`gantry bots update` and `run-backtest`: what PATCH and POST of the API do, from the command line."""

import json

import pytest

from tests.factories.commands import json_of, printed, run


@pytest.fixture
def bot() -> str:
    """A bot's name; its id is made by the command."""
    json_of("bots", "create", "alpha", "--symbol", "ES", "--strategy", "sma_cross", "--start", "2024-01")
    return "alpha"


def test_a_change_makes_a_version_and_a_revision(bot: str) -> None:
    changed = json_of("bots", "update", bot, "--param", "fast=7", "--contracts", "2", "--end", "2024-03")
    assert (changed["revision"], changed["version"], changed["params"]["fast"]) == (2, 2, 7)
    assert changed["costs"]["contracts"] == 2
    assert changed["window"] == {"start": "2024-01", "end": "2024-03"}
    assert json_of("bots", "show", bot) == changed
    back = json_of("bots", "update", bot, "--contracts", "default", "--start", "default", "--commission", "1.5")
    assert (back["costs"]["contracts"], back["costs"]["commission_usd"]) == (1, "1.50")
    assert back["window"] == {"start": None, "end": "2024-03"}
    assert back["params"] == changed["params"]


def test_a_name_and_a_mode_change_without_a_version(bot: str) -> None:
    changed = json_of("bots", "update", bot, "--name", "beta", "--promotion-mode", "AUTO", "--revision", "1")
    assert (changed["name"], changed["promotion_mode"], changed["version"], changed["revision"]) == (
        "beta",
        "AUTO",
        1,
        2,
    )
    assert printed("bots", "update", "beta", "--timeframe", "5m") == "Changed beta: revision 3, version 2.\n"
    again = printed("bots", "update", "beta", "--timeframe", "5m")
    assert again == "beta stays as it is: it has these values already.\n"


def test_another_revision_is_refused_and_named(bot: str, capsys: pytest.CaptureFixture[str]) -> None:
    json_of("bots", "update", bot, "--param", "fast=7")
    assert run("update", bot, "--param", "fast=8", "--revision", "1") == 1
    error = capsys.readouterr().err
    assert error.startswith("CONFLICT: alpha was changed by another request: its revision is 2. Fix: ")
    assert "--revision" in error
    assert json_of("bots", "show", bot)["params"]["fast"] == 7


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), "VALIDATION_FAILED: Nothing to change."),
        (("--contracts", "two"), "VALIDATION_FAILED: --contracts 'two' is not a whole number."),
        (("--param", "nosuch=1"), "VALIDATION_FAILED"),
        (("--promotion-mode", "NEVER"), "VALIDATION_FAILED"),
    ],
)
def test_a_wrong_change_is_one_clear_line(
    bot: str, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: str
) -> None:
    assert run("update", bot, *options) == 1
    assert capsys.readouterr().err.startswith(code)


def test_a_backtest_is_queued_once_under_one_key(bot: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = json_of("bots", "run-backtest", bot, "--idempotency-key", "k1")
    assert (first["job"]["status"], first["job"]["kind"]) == ("QUEUED", "MANUAL")
    assert json_of("bots", "run-backtest", bot, "--idempotency-key", "k1") == first
    assert [job["id"] for job in json_of("jobs", "list")] == [first["job"]["id"]]
    assert run("run-backtest", bot) == 1
    error = capsys.readouterr().err
    assert error.startswith("CONFLICT: alpha already has a job: it is QUEUED.")
    assert first["job"]["id"] in error
    json_of("bots", "create", "beta", "--symbol", "ES", "--strategy", "sma_cross")
    assert run("run-backtest", "beta", "--idempotency-key", "k1") == 1
    assert capsys.readouterr().err.startswith("VALIDATION_FAILED: This Idempotency-Key belongs to another request.")
    assert "Queued a backtest of beta: job " in printed("bots", "run-backtest", "beta", "--idempotency-key", "k2")


@pytest.mark.parametrize("key", ["", "é", "x" * 256])
def test_a_key_that_can_not_be_one_is_refused(bot: str, capsys: pytest.CaptureFixture[str], key: str) -> None:
    assert run("run-backtest", bot, "--idempotency-key", key) == 1
    assert capsys.readouterr().err.startswith("VALIDATION_FAILED: The key must have 1 to 255")
    assert json.loads(printed("jobs", "list", "--json")) == []
