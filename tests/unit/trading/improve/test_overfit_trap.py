"""The overfit trap: nothing is found where nothing is, and an edge that is there is found."""

from decimal import Decimal

import pytest

from tests.factories.edge_windows import noise, swinging
from trading.backtest.types import Costs
from trading.improve.improvement import improve
from trading.improve.limits import Budget
from trading.improve.verdict import Judgement
from trading.instruments import get_instrument
from trading.strategies.base import Params
from trading.strategies.registry import STRATEGIES, get_strategy

ES = get_instrument("ES")
PAID, FREE = Costs(1, Decimal("2.25")), Costs(0, Decimal(0))
BOTS, ROUNDS = 2, 3


def improved(
    name: str, params: Params, seed: int, *, noisy: bool, costs: Costs, tried: int = 0
) -> tuple[Judgement, Params]:
    bars = noise(seed) if noisy else swinging(seed)
    budget = Budget(sets=40, tried_before=tried)
    improvement = improve(bars, get_strategy(name), params, ES, costs, seed=seed + tried, budget=budget)
    while improvement.step():
        pass
    assert improvement.verdict is not None
    assert improvement.candidate is not None
    return improvement.verdict, improvement.candidate


@pytest.mark.parametrize("costs", [PAID, FREE], ids=["paid", "free"])
def test_on_pure_noise_fewer_than_one_change_in_twenty_is_adopted(costs: Costs) -> None:
    """Free of costs is the harder trap: half of all sets then end above zero by luck."""
    adopted = 0
    for bot in range(BOTS):
        for name in STRATEGIES:
            params, tried = get_strategy(name).parse({}), 0
            for _ in range(ROUNDS):
                verdict, candidate = improved(name, params, 100 + bot, noisy=True, costs=costs, tried=tried)
                tried = verdict.evidence["tried"]
                params = candidate if verdict.adopt else params
                adopted += verdict.adopt
    assert adopted < 0.05 * BOTS * ROUNDS * len(STRATEGIES)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_bars_with_a_planted_edge_the_sweep_finds_it_and_adopts(seed: int) -> None:
    """The incumbent fades moves that are too short and narrow to pay for themselves."""
    incumbent = get_strategy("bollinger_reversion").parse({"period": 20, "width": 1.0})
    verdict, candidate = improved("bollinger_reversion", incumbent, seed, noisy=False, costs=PAID)
    assert verdict.adopt, verdict.evidence["checks"]
    assert candidate != incumbent
    won, before = verdict.evidence["candidate"]["unseen_net_e4"], verdict.evidence["incumbent"]["unseen_net_e4"]
    assert won > max(0, before)


def test_a_rule_against_the_planted_edge_is_not_adopted() -> None:
    verdict, _ = improved("sma_cross", get_strategy("sma_cross").parse({}), 1, noisy=False, costs=PAID)
    assert not verdict.adopt
