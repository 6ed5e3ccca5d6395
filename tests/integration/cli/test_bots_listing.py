"""`gantry bots list`: filters and orders as in the API, the number of all bots, and archived bots by name."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from sql.engine import Transactions
from tests.factories.commands import json_of, printed, run
from tests.factories.shown_fleet import KINDS, shown_fleet

ACTIVE = len(KINDS) - 1


@pytest.fixture
def fleet(tx: Transactions) -> Mapping[str, UUID]:
    with tx() as session:
        return {name: bot.id for name, bot in shown_fleet(session).items()}


def names(*options: str) -> list[str]:
    return [bot["name"] for bot in json_of("bots", "list", *options)]


@pytest.mark.usefixtures("fleet")
def test_a_list_shows_how_many_bots_there_are_and_when_it_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed("bots", "list").splitlines()[-1] == f"{ACTIVE} bots."
    assert capsys.readouterr().err == ""
    assert printed("bots", "list", "--state", "BLOCKED").splitlines()[-1] == f"5 of {ACTIVE} bots."
    assert capsys.readouterr().err == ""
    shown = printed("bots", "list", "--label", "SIMULATED", "--limit", "1")
    assert shown.splitlines()[-1] == f"1 of {ACTIVE} bots (3 match)."
    assert capsys.readouterr().err == "The list was cut at 1 of 3 bots; a larger --limit shows more.\n"
    assert len(names("--limit", "3")) == 3
    assert capsys.readouterr().err == f"The list was cut at 3 of {ACTIVE} bots; a larger --limit shows more.\n"
    assert printed("bots", "list", "--stage", "SHADOW") == f"0 of {ACTIVE} bots.\n"


@pytest.mark.usefixtures("fleet")
def test_filters_narrow_and_orders_sort() -> None:
    assert names("--alert", "BLOCKED") == names("--state", "BLOCKED")
    assert names("--alert", "BLOCKED", "--tier", "LOCKED", "--label", "SIMULATED") == ["lost", "broken"]
    assert names("--alert", "GUARD_FAILED") == ["unguarded"]
    assert names("--alert", "RETRIES_EXHAUSTED") == ["lost"]
    assert names("--tier", "SUPERVISED", "--symbol", "NQ") == ["graded"]
    assert names("--stage", "LIVE", "--label", "VENDOR") == ["live"]
    assert names("--sort", "name", "--limit", "2") == ["broken", "canceled"]
    assert names("--sort", "-total_trades", "--limit", "1") == ["simulated"]
    assert names("--sort=-name", "--limit", "1") == ["unguarded"]


@pytest.mark.usefixtures("fleet")
def test_archived_bots_are_listed_and_found_by_their_names() -> None:
    assert names("--archived") == ["gone"]
    assert printed("bots", "list", "--archived").splitlines()[-1] == "1 archived bot."
    assert json_of("bots", "show", "gone")["archived_at"] is not None
    assert run("promote", "gone") == 1


def test_a_fleet_without_archived_bots_is_no_failure() -> None:
    assert printed("bots", "list", "--archived") == "There are no archived bots.\n"


@pytest.mark.parametrize(
    "args",
    [
        ("--sort", "price"),
        ("--state", "BUSY"),
        ("--tier", "TOP"),
        ("--label", "REAL"),
        ("--alert", "BLOKED"),
        ("--symbol", "XX"),
        ("--symbol", "es"),
        ("--limit", "0"),
    ],
)
def test_a_wrong_value_is_one_clear_line(capsys: pytest.CaptureFixture[str], args: tuple[str, ...]) -> None:
    assert run("list", *args) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("VALIDATION_FAILED: ")
    assert "Fix: " in captured.err
    assert captured.out == ""
