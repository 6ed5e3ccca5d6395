"""Parameter sets to try."""

import json

import pytest

from trading.improve.space import as_values, neighbours, search_space
from trading.strategies.registry import STRATEGIES, get_strategy


@pytest.mark.parametrize("name", STRATEGIES)
def test_drawn_sets_are_valid_different_and_the_same_for_a_seed(name: str) -> None:
    params = get_strategy(name).parse({})
    sets = search_space(params, seed=7, size=60)
    assert sets[0] == params
    assert len(set(sets)) == len(sets) == 60
    assert [drawn.problems() for drawn in sets if drawn.problems()] == []
    assert search_space(params, seed=7, size=60) == sets
    assert search_space(params, seed=8, size=60) != sets


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_set_goes_through_json_and_the_strategys_own_check_unchanged(name: str) -> None:
    strategy = get_strategy(name)
    for drawn in search_space(strategy.parse({}), seed=1, size=30):
        assert strategy.parse(json.loads(json.dumps(as_values(drawn)))) == drawn


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_parameter_is_varied(name: str) -> None:
    sets = search_space(get_strategy(name).parse({}), seed=2, size=80)
    for field in as_values(sets[0]):
        assert len({as_values(drawn)[field] for drawn in sets}) > 3, field


def test_neighbours_differ_in_one_parameter_by_a_small_step() -> None:
    params = get_strategy("donchian_breakout").parse({})
    found = [as_values(near) for near in neighbours(params)]
    assert {near["channel"] for near in found} == {54, 60, 66}
    assert {near["entry_from"] for near in found} == {"08:15", "08:30", "08:45"}
    for near in found:
        assert sum(near[name] != value for name, value in as_values(params).items()) == 1


def test_neighbours_beyond_the_bounds_or_the_strategys_rules_are_left_out() -> None:
    cross = get_strategy("sma_cross")
    assert [as_values(near) for near in neighbours(cross.parse({"fast": 1, "slow": 2}))] == [{"fast": 1, "slow": 3}]
    momentum = get_strategy("atr_momentum")
    near = {as_values(near)["target_atr"] for near in neighbours(momentum.parse({"target_atr": 0.0}))}
    assert near == {0.0, 1.0}


def test_a_space_that_holds_fewer_sets_gives_those() -> None:
    cross = get_strategy("sma_cross")
    assert len(search_space(cross.parse({"fast": 1, "slow": 2}), seed=1, size=500)) < 500
