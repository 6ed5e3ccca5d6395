"""The starter pack's plan: every place once, valid, and the first ones as different as can be."""

from itertools import islice

import pytest

from fleet.starter import DEFAULT_BOTS, DEFAULT_SYMBOLS, GRIDS, MAX_BOTS, places
from trading.instruments import INSTRUMENTS
from trading.strategies.registry import get_strategy


@pytest.mark.parametrize("symbols", [("ES",), ("ES", "NQ"), ("ES", "NQ", "CL"), DEFAULT_SYMBOLS, tuple(INSTRUMENTS)])
def test_every_place_comes_once_and_there_are_enough(symbols: tuple[str, ...]) -> None:
    keys = [place.key for place in places(symbols)]
    assert len(set(keys)) == len(keys) == 169 * len(GRIDS) * len(symbols)
    assert len(keys) >= MAX_BOTS


def test_each_set_is_valid_for_its_strategy_and_like_no_other() -> None:
    for place in places(("ES",)):
        params = get_strategy(place.strategy).parse(place.params)
        assert place.number > 1 or params == get_strategy(place.strategy).parse({})
    sets = [(place.strategy, *place.params.values()) for place in places(("ES",))]
    assert len(set(sets)) == len(sets)


def test_the_default_pack_has_every_strategy_and_every_symbol() -> None:
    first = list(islice(places(DEFAULT_SYMBOLS), DEFAULT_BOTS))
    assert {place.strategy for place in first} == set(GRIDS)
    assert {place.symbol for place in first} == set(DEFAULT_SYMBOLS)
    assert first[0].key == "ES/sma_cross/1"
    assert {place.number for place in first} == {1}


def test_where_strategies_and_symbols_share_a_divisor_all_of_them_still_meet() -> None:
    first = list(islice(places(("ES", "NQ", "CL")), 18))
    assert len({(place.symbol, place.strategy) for place in first}) == 18
