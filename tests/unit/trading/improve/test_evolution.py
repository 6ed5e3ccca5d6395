"""An evolution chooses between strategies fold by fold, blind to what comes later; every contender counts as luck."""

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.edge_windows import noise, swinging, with_another_future
from tests.factories.leaks import Faulty, NoParams
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs
from trading.bars.series import Window
from trading.improve.evolution import Contender, Evolution, challengers, evolve
from trading.improve.limits import Budget
from trading.improve.reasons import Reason
from trading.improve.space import neighbours
from trading.instruments import get_instrument
from trading.strategies.base import Decisions, MarketView, Strategy
from trading.strategies.registry import STRATEGIES, get_strategy

ES = get_instrument("ES")
COSTS = Costs(1, Decimal("2.25"))
SMALL = Budget(folds=3)


def contender(name: str, **params: object) -> Contender:
    strategy = get_strategy(name)
    return Contender(strategy, strategy.parse(params))


CROSS = contender("sma_cross")
FADES = contender("bollinger_reversion", period=60, width=1.5)
OTHERS = challengers(CROSS.strategy, STRATEGIES.values(), seed=1, size=20)


def begun(
    windows: tuple[Window, ...] | None = None,
    *,
    incumbent: Contender = CROSS,
    against: tuple[Contender, ...] = OTHERS,
    budget: Budget = SMALL,
    state: dict[str, object] | None = None,
) -> Evolution:
    bars = swinging(1, sessions=30) if windows is None else windows
    return evolve(bars, incumbent, against, ES, COSTS, budget=budget, state=state)


def finished(evolution: Evolution) -> Evolution:
    while evolution.step():
        pass
    return evolution


def test_on_bars_whose_swings_can_be_faded_a_strategy_that_fades_takes_the_place_of_one_that_follows() -> None:
    evolution = finished(begun())
    verdict, candidate = evolution.verdict, evolution.candidate
    assert verdict is not None
    assert candidate is not None
    assert (verdict.adopt, verdict.reason_code) == (True, Reason.ADOPTED)
    assert candidate.strategy.name in {"bollinger_reversion", "rsi_reversion", "vwap_reversion"}
    assert verdict.evidence["candidate"]["params"] == candidate.as_json()
    assert verdict.evidence["incumbent"]["params"] == CROSS.as_json()
    ran = run_backtest(swinging(1, sessions=30), candidate.strategy, candidate.params, ES, COSTS)
    assert verdict.evidence["candidate"]["net_e4"] == int(ran.equity_e4[-1])
    assert verdict.evidence["tried"] == len({CROSS, *OTHERS, *_near(candidate)})


def _near(candidate: Contender) -> list[Contender]:
    return [Contender(candidate.strategy, params) for params in neighbours(candidate.params)]


def test_every_other_strategy_is_tried_at_its_defaults_and_around_them() -> None:
    names = [one.strategy.name for one in OTHERS]
    assert set(names) == STRATEGIES.keys() - {"sma_cross"}
    assert len({names.count(name) for name in names}) == 1
    assert {one.params for one in OTHERS} >= {STRATEGIES[name].parse({}) for name in names}
    assert challengers(CROSS.strategy, STRATEGIES.values(), seed=1, size=20) == OTHERS
    assert challengers(CROSS.strategy, STRATEGIES.values(), seed=2, size=20) != OTHERS
    assert len(challengers(CROSS.strategy, STRATEGIES.values(), seed=1, size=1)) == len(STRATEGIES) - 1


@pytest.mark.parametrize("stops_after", [0, 1, 3, 4])
def test_stopped_between_any_steps_and_resumed_from_json_it_ends_the_same(stops_after: int) -> None:
    first = begun()
    for _ in range(stops_after):
        first.step()
    resumed = begun(state=json.loads(json.dumps(first.state, allow_nan=False)))
    assert (resumed.steps_done, resumed.total_steps) == (stops_after, 4)
    assert finished(resumed).state == finished(begun()).state


@pytest.mark.parametrize(
    "other",
    [
        {"incumbent": contender("sma_cross", fast=21)},
        {"against": OTHERS[1:]},
        {"windows": swinging(2, sessions=30)},
        {"budget": replace(SMALL, tried_before=1)},
    ],
)
def test_a_state_of_other_arguments_is_refused(other: dict[str, object]) -> None:
    with pytest.raises(GantryError) as caught:
        begun(state=begun().state, **other)  # type: ignore[arg-type]
    assert [detail.field for detail in caught.value.details] == ["state"]


@pytest.mark.parametrize("number", range(SMALL.folds))
def test_a_folds_choice_between_strategies_is_made_without_gap_and_out_of_sample_sessions(number: int) -> None:
    known = begun()
    changed = begun(with_another_future(known.ground.folds[number].in_end))
    left, right = (finished(each).state["folds"][number] for each in (known, changed))
    for name in ("winner", "in_sharpe", "in_trades", "in_sessions"):
        assert left[name] == right[name], name
    assert left["out_daily_e4"] != right["out_daily_e4"]


def test_where_the_present_strategy_is_the_best_there_is_no_better_one() -> None:
    verdict = finished(begun(incumbent=FADES, against=(CROSS,))).verdict
    assert verdict is not None
    assert verdict.reason_code is Reason.NO_BETTER_SET


def test_the_same_parameters_of_another_strategy_are_another_contender() -> None:
    def still(view: MarketView) -> Decisions:
        return Decisions(np.zeros(len(view), np.int8))

    class Other(Faulty):
        name = "other"

    present, other = Contender(Faulty(still), NoParams()), Contender(Other(still), NoParams())
    evolution = begun(incumbent=present, against=(other,))
    assert len(evolution.contenders) == 2
    verdict = finished(evolution).verdict
    assert verdict is not None
    assert verdict.reason_code is Reason.NO_BETTER_SET, "of equals the one in use is kept"


def raises(_view: MarketView) -> Decisions:
    raise RuntimeError("no idea")


def test_a_challenger_that_raises_is_left_out_and_reported() -> None:
    broken: Strategy = Faulty(raises)
    evolution = finished(begun(against=(Contender(broken, NoParams()), FADES)))
    verdict = evolution.verdict
    assert verdict is not None
    assert list(verdict.evidence["left_out"]) == [broken.name]
    assert verdict.evidence["candidate"]["params"] == FADES.as_json()


def test_an_incumbent_that_raises_fails_the_evolution() -> None:
    with pytest.raises(GantryError) as caught:
        begun(incumbent=Contender(Faulty(raises), NoParams()), against=(FADES,)).step()
    assert caught.value.code is ErrorCode.STRATEGY_ERROR


def test_without_anybody_else_to_try_it_is_refused() -> None:
    with pytest.raises(GantryError) as caught:
        begun(against=(CROSS,))
    assert caught.value.code is ErrorCode.VALIDATION_FAILED


def test_on_noise_no_strategy_takes_the_place_of_another() -> None:
    verdicts = [
        finished(
            begun(
                noise(seed),
                against=challengers(CROSS.strategy, STRATEGIES.values(), seed=seed, size=20),
                budget=Budget(),
            )
        ).verdict
        for seed in range(12)
    ]
    assert [verdict.adopt for verdict in verdicts if verdict is not None] == [False] * 12
