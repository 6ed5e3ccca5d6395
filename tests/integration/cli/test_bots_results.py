"""`gantry bots` trades, equity, improvements, versions as a person sees them; the JSON is compared with the API's."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from cli.bots.shown import window_text
from core.clock import utc_now
from services.bots.create import NewBot, create_bot
from sql.engine import Transactions
from tests.factories.commands import json_of, printed, run
from tests.factories.promotions import a_good_backtest


@pytest.fixture
def graded(tx: Transactions) -> UUID:
    with tx() as session:
        new = NewBot(name="alpha", symbol="ES", strategy="sma_cross")
        bot_id = create_bot(session, new, actor="test", now=utc_now() - timedelta(days=2))
    a_good_backtest(tx, bot_id, now=utc_now())
    return bot_id


def test_what_a_bot_did_is_a_table_that_says_when_it_was_cut(graded: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    assert len([line for line in printed("bots", "trades", "alpha").splitlines() if " LONG " in line]) == 60
    assert capsys.readouterr().err == ""
    assert (
        len([line for line in printed("bots", "trades", graded, "--limit", "2").splitlines() if " LONG " in line]) == 2
    )
    assert capsys.readouterr().err == "Only 2 trades are shown; --limit or --all shows more.\n"
    days = printed("bots", "equity", "alpha", "--limit", "1")
    assert "2024-03-04" in days
    assert "2024-03-05" not in days
    assert "profit since start USD" in days
    assert capsys.readouterr().err == "Only 1 day of equity is shown; --limit or --all shows more.\n"
    shown = printed("bots", "versions", "alpha")
    net_pnl = json_of("bots", "show", "alpha")["metrics"]["net_pnl"]
    (line,) = [line for line in shown.splitlines() if "sma_cross" in line]
    assert line.split()[:2] == ["1", "*"]
    assert line.split()[-3:] == ["60", net_pnl, "VENDOR"]
    assert "fast=20 slow=100" in line


@pytest.mark.usefixtures("graded")
def test_a_bot_is_shown_with_figures_as_people_read_them_and_whole_in_json() -> None:
    lines = [line.split(maxsplit=1) for line in printed("bots", "show", "alpha").splitlines()]
    shown = {line[0]: line[1] for line in lines}
    assert shown["window"] == "all months"
    assert shown["costs"] == "slippage 1 tick, 2.25 USD a contract and side, 1 contract"
    assert shown["params"] == "fast=20 slow=100"
    exact = json_of("bots", "show", "alpha")["metrics"]
    assert len(str(exact["sharpe"])) > len(shown["sharpe"])
    assert float(shown["sharpe"]) == pytest.approx(exact["sharpe"], rel=1e-3)
    assert shown["net_pnl"] == exact["net_pnl"]


@pytest.mark.parametrize(
    ("window", "text"),
    [
        ({"start": None, "end": None}, "all months"),
        ({"start": "2024-01", "end": "2024-03"}, "2024-01 to 2024-03"),
        ({"start": "2024-01", "end": None}, "from 2024-01"),
        ({"start": None, "end": "2024-03"}, "to 2024-03"),
    ],
)
def test_a_window_is_described_in_words(window: Mapping[str, str | None], text: str) -> None:
    assert window_text(window) == text


def test_a_bot_that_did_nothing_yet_has_nothing_to_show() -> None:
    json_of("bots", "create", "beta", "--symbol", "ES", "--strategy", "sma_cross")
    for command in ("trades", "equity", "improvements"):
        assert json_of("bots", command, "beta") == []
        assert printed("bots", command, "beta").startswith("beta has no ")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("trades", "nobody"), "NOT_FOUND"),
        (("equity", "alpha", "--session", "x"), "VALIDATION_FAILED: 'x' is not an id of a backtest."),
        (("trades", "alpha", "--session", "019a0000-0000-7000-8000-000000000000"), "NOT_FOUND"),
        (("versions", "alpha", "--limit", "0"), "VALIDATION_FAILED: --limit"),
    ],
)
@pytest.mark.usefixtures("graded")
def test_a_wrong_question_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], error: str
) -> None:
    assert run(*args) == 1
    assert capsys.readouterr().err.startswith(error)
