import pytest

from cli.db import psql_ready
from cli.demo.bots import demo_bots, paced
from trading.strategies.registry import STRATEGIES


def test_the_demo_makes_three_bots_of_every_strategy_with_legal_parameters() -> None:
    made = demo_bots(STRATEGIES, "ES")
    assert len(made) == 3 * len(STRATEGIES)
    assert len({bot.name for bot in made}) == len(made)
    assert [STRATEGIES[bot.strategy].parse(bot.params).problems() for bot in made] == [[]] * len(made)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_three_bots_of_a_strategy_differ(name: str) -> None:
    sets = [tuple(bot.params.items()) for bot in demo_bots({name: STRATEGIES[name]}, "ES")]
    assert len(set(sets)) == 3


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_default_pace_is_the_strategy_s_defaults(name: str) -> None:
    strategy = STRATEGIES[name]
    assert strategy.parse(paced(strategy.params_type, 1.0)) == strategy.parse({})


def test_psql_is_given_no_driver_name() -> None:
    assert psql_ready("postgresql+psycopg://a:b@h:1/d?x=y+z") == "postgresql://a:b@h:1/d?x=y+z"
    assert psql_ready("postgresql://a:b@h:1/d") == "postgresql://a:b@h:1/d"
