"""`gantry bots` promote, demote and gates on a database of its own."""

import json
from uuid import UUID

import pytest

from services.bots.create import NewBot, create_bot
from sql.engine import Transactions
from tests.factories.bots import NOW
from tests.factories.commands import run
from tests.factories.promotions import a_good_backtest


@pytest.fixture
def bot_id(tx: Transactions) -> UUID:
    with tx() as session:
        return create_bot(session, NewBot(name="alpha", symbol="ES", strategy="sma_cross"), actor="test", now=NOW)


@pytest.mark.usefixtures("bot_id")
def test_a_refusal_names_each_gate_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("promote", "alpha") == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "details" not in output.err
    assert output.err.startswith("GATE_NOT_MET: alpha doesn't meet 9 of 10 gates of PAPER: TRADES")
    assert len([line for line in output.err.splitlines() if line.startswith("  ")]) == 9
    assert "  TRADES: Observed nothing, limit 50." in output.err


def test_a_bot_is_promoted_and_demoted_by_name(
    tx: Transactions, bot_id: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    a_good_backtest(tx, bot_id, now=NOW)
    assert run("gates", "alpha") == 0
    assert "alpha is in LAB; before PAPER:" in capsys.readouterr().out
    assert run("gates", "alpha", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["next_stage"], {gate["met"] for gate in shown["gates"]}) == ("PAPER", {True})
    assert run("promote", "alpha") == 0
    assert "alpha is now in PAPER: all 10 gates are met." in capsys.readouterr().out
    assert run("gates", "alpha") == 0
    assert "NOT MET TRADES" in capsys.readouterr().out
    assert run("demote", "alpha", "--reason", "TIRED", "--json") == 0
    demoted = json.loads(capsys.readouterr().out)
    assert (demoted["id"], demoted["stage"]) == (str(bot_id), "LAB")
    assert run("promote", "alpha", "--json") == 0
    assert json.loads(capsys.readouterr().out)["data"]["stage"] == "PAPER"
    assert run("demote", "nobody") == 1
