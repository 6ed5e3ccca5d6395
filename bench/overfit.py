"""The overfit trap at full size: a hundred bots on bars without any edge, improved three rounds each as in production.

Every bot has noise of its own and one of the strategies in turn; what earlier rounds tried counts as luck later on.
"""

from decimal import Decimal

from bench.table import Row, print_table
from tests.factories.edge_windows import noise
from trading.backtest.types import Costs
from trading.improve.improvement import improve
from trading.improve.limits import Budget
from trading.instruments import get_instrument
from trading.strategies.registry import STRATEGIES, get_strategy

BOTS, ROUNDS = 100, 3
MOST = 0.05
ES = get_instrument("ES")
COSTS = {"costs paid": Costs(1, Decimal("2.25")), "free of costs": Costs(0, Decimal(0))}


def run() -> list[Row]:
    """Improve every bot, with costs and without: then half of all sets end above zero by luck."""
    return [_row(name, costs) for name, costs in COSTS.items()]


def _row(name: str, costs: Costs) -> Row:
    adopted = sum(_adopted(bot, costs) for bot in range(BOTS))
    share = adopted / (BOTS * ROUNDS)
    figure = f"{adopted} of {BOTS * ROUNDS} changes, {share:.1%}"
    return Row(f"adopted on noise, {name}", figure, None, "under 5 %", share < MOST)


def _adopted(bot: int, costs: Costs) -> int:
    name = list(STRATEGIES)[bot % len(STRATEGIES)]
    params, tried, adopted = get_strategy(name).parse({}), 0, 0
    for turn in range(ROUNDS):
        budget = Budget(tried_before=tried)
        work = improve(noise(1_000 + bot), get_strategy(name), params, ES, costs, seed=7 * bot + turn, budget=budget)
        while work.step():
            pass
        assert work.verdict is not None
        tried = int(work.verdict.evidence["tried"])
        if work.verdict.adopt:
            assert work.candidate is not None
            params, adopted = work.candidate, adopted + 1
    return adopted


if __name__ == "__main__":
    print_table("overfit", run())
