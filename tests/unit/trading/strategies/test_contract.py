"""What every strategy of the registry promises; a new one is held to it by its line there."""

from dataclasses import FrozenInstanceError, fields, replace
from itertools import product

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.walks import view_of_walk
from trading.backtest.guards import GuardedBars, determinism, first_bars, shift, truncation, warm_up
from trading.strategies.base import FLAT, HOLD, LONG, SHORT, MarketView, Params, Strategy
from trading.strategies.registry import STRATEGIES, get_strategy

EVERY = list(STRATEGIES.values())
SEEDS = (1, 2)


@pytest.fixture(params=EVERY, ids=lambda strategy: strategy.name)
def strategy(request: pytest.FixtureRequest) -> Strategy:
    found: Strategy = request.param
    return found


def quick(strategy: Strategy) -> Params:
    """Return parameters with short memories, so that a short walk holds many decisions."""
    short = {"fast": 3, "slow": 11, "period": 7, "channel": 9, "lookback": 8, "atr_period": 5, "min_bars": 6}
    loose = {"width": 1.2, "threshold": 1.5, "lower": 40.0, "upper": 60.0}
    known = {spec.name for spec in fields(strategy.params_type)}
    return strategy.parse({name: value for name, value in (short | loose).items() if name in known})


@pytest.fixture(params=SEEDS)
def view(request: pytest.FixtureRequest) -> MarketView:
    return view_of_walk(1.5, request.param)


def test_it_is_registered_under_its_own_name_and_says_what_it_does(strategy: Strategy) -> None:
    assert get_strategy(strategy.name) is strategy
    assert strategy.label
    assert "First decision at i" in (strategy.__doc__ or "")


def test_every_parameter_has_bounds_around_its_default_a_unit_and_a_sentence(strategy: Strategy) -> None:
    for spec in fields(strategy.params_type):
        assert spec.metadata["low"] <= spec.default <= spec.metadata["high"]
        assert type(spec.metadata["low"]) is type(spec.metadata["high"]) is type(spec.default)
        assert spec.metadata["unit"]
        assert spec.metadata["doc"].endswith(".")


def test_its_defaults_are_valid_and_frozen(strategy: Strategy) -> None:
    params = strategy.parse({})
    assert params == strategy.params_type()
    with pytest.raises(FrozenInstanceError):
        setattr(params, fields(params)[0].name, 1)


def test_texts_of_a_command_line_mean_the_same_as_values(strategy: Strategy) -> None:
    params = quick(strategy)
    texts = {spec.name: str(getattr(params, spec.name)) for spec in fields(params)}
    assert strategy.parse(texts) == params


def test_an_unknown_parameter_is_refused_by_name(strategy: Strategy) -> None:
    with pytest.raises(GantryError, match="no parameter 'fats'") as caught:
        strategy.parse({"fats": 3})
    assert caught.value.code is ErrorCode.VALIDATION_FAILED
    assert [detail.field for detail in caught.value.details] == ["fats"]
    assert all(spec.name in caught.value.fix for spec in fields(strategy.params_type))


def test_a_parameter_out_of_bounds_or_of_another_type_is_refused_by_name(strategy: Strategy) -> None:
    for spec in fields(strategy.params_type):
        bad: list[object] = [None, [], True, "?", float("nan")]
        if not isinstance(spec.default, str):
            bad += [spec.metadata["low"] - 1, spec.metadata["high"] + 1]
        for value in bad:
            with pytest.raises(GantryError) as caught:
                strategy.parse({spec.name: value})
            assert caught.value.code is ErrorCode.VALIDATION_FAILED
            assert spec.name in {detail.field for detail in caught.value.details}, value


def test_it_returns_one_code_a_bar_and_decides_something(strategy: Strategy, view: MarketView) -> None:
    decisions = strategy.decide(view, quick(strategy))
    assert decisions.target.dtype == np.int8
    assert decisions.target.shape == (len(view),)
    assert set(decisions.target.tolist()) <= {HOLD, LONG, SHORT, FLAT}
    assert (decisions.target == LONG).any()
    assert (decisions.target == SHORT).any()
    for distance in (decisions.stop_ticks, decisions.target_ticks):
        if distance is not None:
            assert distance.dtype == np.int64
            assert distance.shape == (len(view),)
            assert (distance >= 0).all()


def guarded(strategy: Strategy, view: MarketView, *, every: int) -> GuardedBars:
    params = quick(strategy)
    return GuardedBars(view, strategy, params, strategy.decide(view, params), tuple(range(0, len(view) - 1, every)))


def test_cutting_off_later_bars_changes_no_earlier_decision(strategy: Strategy, view: MarketView) -> None:
    assert truncation(guarded(strategy, view, every=23)).passed


def test_other_later_bars_change_no_earlier_decision(strategy: Strategy, view: MarketView) -> None:
    assert shift(guarded(strategy, view, every=41)).passed


def test_deciding_again_gives_the_same(strategy: Strategy, view: MarketView) -> None:
    assert determinism(guarded(strategy, view, every=len(view))).passed


def test_it_decides_nothing_before_its_warm_up_and_is_ready_right_after(strategy: Strategy) -> None:
    params = quick(strategy)
    first = strategy.warmup(params)
    earliest = len(view_of_walk(0.2, 0))
    for seed in range(120):
        view = view_of_walk(0.2, seed)
        decisions = strategy.decide(view, params)
        assert warm_up(strategy, params, decisions).passed
        earliest = min(earliest, *np.flatnonzero(decisions.target).tolist(), len(view))
    if strategy.name == "donchian_breakout":
        return  # no walk of that length reaches its hours; see its own tests
    assert earliest == first


def test_prices_that_stand_still_enter_nothing(strategy: Strategy) -> None:
    view = view_of_walk(1.2, 3, step=0)
    assert not np.isin(strategy.decide(view, quick(strategy)).target, (LONG, SHORT)).any()


def test_it_handles_any_number_of_bars(strategy: Strategy, view: MarketView) -> None:
    for params, size in product((quick(strategy), strategy.parse({})), (0, 1, 2, 3, 7, 8, 9, 12, 61, 101, 102)):
        assert len(strategy.decide(first_bars(view, size), params).target) == size


def test_prices_moved_by_a_constant_give_the_same_decisions(strategy: Strategy, view: MarketView) -> None:
    params = quick(strategy)
    moved = shifted(view, 37 * view.tick_size)
    before, after = strategy.decide(view, params), strategy.decide(moved, params)
    assert np.array_equal(before.target, after.target)


def test_prices_upside_down_give_the_opposite_decisions(strategy: Strategy, view: MarketView) -> None:
    params = quick(strategy)
    flipped = replace(view, open=-view.open, high=-view.low, low=-view.high, close=-view.close)
    up, down = strategy.decide(view, params).target, strategy.decide(flipped, params).target
    assert np.array_equal(up == LONG, down == SHORT)
    assert np.array_equal(up == FLAT, down == FLAT)


def test_an_unknown_strategy_is_refused_with_the_known_names() -> None:
    with pytest.raises(GantryError, match="Unknown strategy 'smacross'") as caught:
        get_strategy("smacross")
    assert caught.value.code is ErrorCode.VALIDATION_FAILED
    assert all(name in caught.value.fix for name in STRATEGIES)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("sma_cross", {"fast": 50, "slow": 50}),
        ("rsi_reversion", {"lower": 70, "upper": 30}),
        ("donchian_breakout", {"entry_from": "15:00", "entry_until": "14:00"}),
        ("donchian_breakout", {"flatten_at": "08:00"}),
        ("donchian_breakout", {"entry_from": "8:30"}),
        ("donchian_breakout", {"entry_from": "08:60"}),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(name: str, raw: dict[str, object]) -> None:
    with pytest.raises(GantryError) as caught:
        get_strategy(name).parse(raw)
    assert caught.value.code is ErrorCode.VALIDATION_FAILED
    assert caught.value.details


def shifted(view: MarketView, by: float) -> MarketView:
    return replace(view, open=view.open + by, high=view.high + by, low=view.low + by, close=view.close + by)
