"""Dry runs of `gantry admin` and `gantry bots` name the bots that they would change, and change none."""

from datetime import timedelta
from uuid import UUID

import pytest

from core.clock import utc_now
from services.bots.create import NewBot, create_bot
from sql.engine import Transactions
from tests.factories.commands import json_of, printed, run
from tests.factories.promotions import a_good_backtest


@pytest.fixture
def bots(tx: Transactions) -> dict[str, UUID]:
    """Two bots, of which the first is graded."""
    ids = {}
    for name in ("alpha", "beta"):
        with tx() as session:
            new = NewBot(name=name, symbol="ES", strategy="sma_cross")
            ids[name] = create_bot(session, new, actor="test", now=utc_now() - timedelta(days=2))
    a_good_backtest(tx, ids["alpha"], now=utc_now())
    return ids


def lines_of(text: str, name: str) -> list[str]:
    return [line for line in text.splitlines() if line.split()[:1] == [name]]


@pytest.mark.usefixtures("bots")
def test_a_dry_reset_names_each_bot_with_what_it_would_lose() -> None:
    before = json_of("bots", "list")
    shown = printed("admin", "reset-metrics", "--dry-run")
    net_pnl = json_of("bots", "show", "alpha")["metrics"]["net_pnl"]
    assert lines_of(shown, "alpha")[0].split()[1:] == ["60", "->", "-", net_pnl, "->", "-", "-"]
    assert lines_of(shown, "beta")[0].split()[1:] == ["-", "-", "-"]
    assert "Metrics of 2 bots would be reset (ALL)" in shown
    assert json_of("bots", "list") == before


@pytest.mark.usefixtures("bots")
def test_a_dry_revert_names_each_bot_with_its_stages() -> None:
    assert run("promote", "alpha") == 0
    shown = printed("admin", "revert-to-lab", "--dry-run")
    assert "PAPER -> LAB" in lines_of(shown, "alpha")[0]
    assert "PAPER" not in lines_of(shown, "beta")[0]
    assert "2 bots would go back to LAB" in shown
    assert json_of("bots", "show", "alpha")["stage"] == "PAPER"


@pytest.mark.usefixtures("bots")
def test_a_dry_run_of_a_change_of_one_bot_names_it_and_changes_nothing() -> None:
    job_id = json_of("bots", "run-backtest", "beta")["job"]["id"]
    before = [json_of("bots", "show", name) for name in ("alpha", "beta")]
    archived = printed("bots", "archive", "beta", "--dry-run")
    assert archived == f"beta would be archived. Its job {job_id} would be canceled.\n"
    assert "alpha would be in PAPER" in printed("bots", "promote", "alpha", "--dry-run")
    assert json_of("bots", "promote", "alpha", "--dry-run")["data"]["stage"] == "PAPER"
    after = [json_of("bots", "show", name) for name in ("alpha", "beta")]
    assert [(bot["stage"], bot["revision"], bot["archived_at"]) for bot in after] == [("LAB", 1, None)] * 2
    assert [bot["botNow"]["state"] for bot in after] == [bot["botNow"]["state"] for bot in before]
    assert run("promote", "alpha") == 0
    assert printed("bots", "demote", "alpha", "--dry-run") == "alpha would be in LAB.\n"
    assert json_of("bots", "show", "alpha")["stage"] == "PAPER"
    assert printed("bots", "archive", "beta") == f"beta is archived. Its job {job_id} was canceled.\n"


def test_the_json_of_a_dry_run_has_the_names_too(bots: dict[str, UUID]) -> None:
    for command in ("reset-metrics", "revert-to-lab"):
        shown = json_of("admin", command, "--dry-run")
        assert {one["name"]: one["bot_id"] for one in shown["bots"]} == {n: str(i) for n, i in bots.items()}
