"""An improvement, fold by fold: the same for a seed, stopped and resumed anywhere, and blind to what comes later."""

import json
from dataclasses import replace
from decimal import Decimal
from itertools import count

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.edge_windows import swinging, with_another_future
from tests.factories.leaks import Faulty, NoParams
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs
from trading.bars.series import Window
from trading.improve.improvement import Improvement, improve
from trading.improve.limits import Budget
from trading.improve.reasons import Reason
from trading.instruments import get_instrument
from trading.strategies.base import Decisions, MarketView
from trading.strategies.registry import get_strategy

ES = get_instrument("ES")
COSTS = Costs(1, Decimal("2.25"))
BOLLINGER = get_strategy("bollinger_reversion")
SMALL = Budget(sets=12, folds=3)


def begun(
    windows: tuple[Window, ...] | None = None, *, budget: Budget = SMALL, seed: int = 1, **more: object
) -> Improvement:
    bars = swinging(1, sessions=30) if windows is None else windows
    state = more.get("state")
    assert state is None or isinstance(state, dict)
    return improve(bars, BOLLINGER, BOLLINGER.parse({}), ES, COSTS, seed=seed, budget=budget, state=state)


def finished(improvement: Improvement) -> Improvement:
    while improvement.step():
        pass
    return improvement


def test_steps_are_counted_and_end_with_a_verdict() -> None:
    improvement = begun()
    seen = []
    assert (improvement.total_steps, improvement.verdict, improvement.candidate) == (4, None, None)
    for done in count(1):
        more = improvement.step()
        assert improvement.steps_done == done
        seen.append(improvement.verdict is not None)
        if not more:
            break
    assert seen == [False, False, False, True]
    assert improvement.candidate is not None
    last = improvement.state
    assert not improvement.step()
    assert improvement.state == last


def test_the_same_seed_gives_the_same_state_and_another_seed_another() -> None:
    assert finished(begun()).state == finished(begun()).state
    assert finished(begun()).state["folds"] != finished(begun(seed=2)).state["folds"]


@pytest.mark.parametrize("stops_after", [0, 1, 3, 4])
def test_stopped_between_any_steps_and_resumed_from_json_it_ends_the_same(stops_after: int) -> None:
    first = begun()
    for _ in range(stops_after):
        first.step()
    resumed = begun(state=json.loads(json.dumps(first.state, allow_nan=False)))
    assert resumed.steps_done == stops_after
    assert finished(resumed).state == finished(begun()).state


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"budget": replace(SMALL, sets=13)},
        {"windows": swinging(2, sessions=30)},
        {"budget": replace(SMALL, limits=replace(SMALL.limits, min_consistency=0.0))},
    ],
)
def test_a_state_of_other_arguments_is_refused(other: dict[str, object]) -> None:
    state = begun().state
    arguments: dict[str, object] = {"state": state, **other}
    with pytest.raises(GantryError) as caught:
        begun(**arguments)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.VALIDATION_FAILED


@pytest.mark.parametrize("number", range(SMALL.folds))
def test_a_fold_is_scored_without_the_bars_after_it(number: int) -> None:
    known = finished(begun())
    changed = finished(begun(with_another_future(known.ground.folds[number].out_end)))
    assert known.state["folds"][: number + 1] == changed.state["folds"][: number + 1]
    assert known.state["folds"][number + 1 :] != changed.state["folds"][number + 1 :] or number == SMALL.folds - 1


@pytest.mark.parametrize("number", range(SMALL.folds))
def test_a_folds_choice_is_made_without_gap_and_out_of_sample_sessions(number: int) -> None:
    known = begun()
    changed = begun(with_another_future(known.ground.folds[number].in_end))
    left, right = (finished(each).state["folds"][number] for each in (known, changed))
    for name in ("winner", "in_sharpe", "in_trades", "in_sessions"):
        assert left[name] == right[name], name
    assert left["out_daily_e4"] != right["out_daily_e4"]


def test_the_evidence_is_that_of_a_backtest_of_the_candidate() -> None:
    improvement = finished(begun())
    verdict, candidate = improvement.verdict, improvement.candidate
    assert verdict is not None
    assert candidate is not None
    ran = run_backtest(swinging(1, sessions=30), BOLLINGER, candidate, ES, COSTS)
    assert verdict.evidence["candidate"]["net_e4"] == int(ran.equity_e4[-1])
    assert verdict.evidence["candidate"]["trades"] == len(ran.trades)
    doubled = run_backtest(swinging(1, sessions=30), BOLLINGER, candidate, ES, Costs(2, Decimal("4.50")))
    assert verdict.evidence["stress"]["net_e4"] == int(doubled.equity_e4[-1])
    assert verdict.evidence["tried"] >= SMALL.sets


def test_sets_tried_before_are_counted_as_luck() -> None:
    first, second = (finished(begun(budget=replace(SMALL, tried_before=before))).verdict for before in (0, 5_000))
    assert first is not None
    assert second is not None
    assert second.evidence["tried"] == first.evidence["tried"] + 5_000
    assert second.evidence["luck_sharpe"] > first.evidence["luck_sharpe"]


def test_a_strategy_that_decides_otherwise_each_time_fails_against_the_engine() -> None:
    calls = count()

    def fickle(view: MarketView) -> Decisions:
        rng = np.random.default_rng(next(calls))
        return Decisions(rng.choice(np.array([0, 0, 0, 1, -1], np.int8), len(view)))

    improvement = improve(
        swinging(1, sessions=30), Faulty(fickle), NoParams(), ES, COSTS, seed=1, budget=replace(SMALL, folds=1)
    )
    improvement.step()
    with pytest.raises(GantryError) as caught:
        improvement.step()
    assert caught.value.code is ErrorCode.STRATEGY_ERROR


def test_a_strategy_without_parameters_has_no_better_set() -> None:
    def still(view: MarketView) -> Decisions:
        return Decisions(np.zeros(len(view), np.int8))

    improvement = improve(swinging(1, sessions=30), Faulty(still), NoParams(), ES, COSTS, seed=1, budget=SMALL)
    verdict = finished(improvement).verdict
    assert verdict is not None
    assert verdict.reason_code is Reason.NO_BETTER_SET


@pytest.mark.parametrize("wrong", [{"sets": 1}, {"folds": 0}, {"purge_sessions": -1}, {"tried_before": -1}])
def test_an_impossible_budget_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(GantryError) as caught:
        begun(budget=replace(SMALL, **wrong))  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.VALIDATION_FAILED


def test_too_few_sessions_are_refused_before_anything_runs() -> None:
    with pytest.raises(GantryError) as caught:
        begun(swinging(1, sessions=12))
    assert caught.value.code is ErrorCode.DATA_UNAVAILABLE
