"""`gantry strategies` needs no database, and shows what a bot can be made of."""

import pytest

from tests.factories.commands import json_of, printed, run
from trading.strategies.registry import STRATEGIES, get_strategy


def test_every_strategy_is_listed_with_its_defaults() -> None:
    listed = json_of("strategies", "list")
    assert [one["name"] for one in listed] == list(STRATEGIES)
    for one in listed:
        defaults = {spec["name"]: spec["default"] for spec in one["parameters"]}
        assert get_strategy(one["name"]).parse(defaults) == get_strategy(one["name"]).parse({})
        assert json_of("strategies", "show", one["name"]) == one
        assert one["name"] in printed("strategies", "list")


def test_a_strategy_is_shown_with_its_definition_and_bounds() -> None:
    shown = printed("strategies", "show", "sma_cross")
    assert "LONG when sma_fast[i] > sma_slow[i]" in shown
    assert "2000" in shown


def test_an_unknown_strategy_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "nosuch", group="strategies") == 1
    assert capsys.readouterr().err.startswith("VALIDATION_FAILED: Unknown strategy 'nosuch'. Fix: Use one of sma_cross")
