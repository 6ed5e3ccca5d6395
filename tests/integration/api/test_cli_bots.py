"""`gantry bots` on a database of its own: the same services, said on a console."""

import json
from collections.abc import Iterator

import pytest

from cli.main import main
from core.settings import get_settings
from sql.embedded import RunningState


@pytest.fixture(autouse=True)
def own_database(database: RunningState, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def run(*args: str) -> int:
    try:
        main(["bots", *args])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


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
    ("args", "said"),
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
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str
) -> None:
    assert run(*args) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(said)
    assert "Fix:" in captured.err
    assert captured.out == ""


def test_an_empty_fleet_is_said_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "no bots" in capsys.readouterr().out
