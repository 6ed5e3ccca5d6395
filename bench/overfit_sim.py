"""The overfit trap on the simulator's own bars: a hundred bots improved as in production, where there is no edge.

Each bot has three months of a seed of its own, as on a first start, and one of the symbols and strategies in turn. Two
rounds of IMPROVE are followed by one of EVOLVE; every set tried counts as luck in later rounds.
"""

import sys
from dataclasses import dataclass

from bench.simulator import SYMBOLS
from bench.table import Row, print_table
from integrations.simulator.months import simulate_month
from trading.backtest.types import Costs
from trading.bars.front import windows
from trading.bars.months import concatenate
from trading.bars.series import Window
from trading.improve.evolution import Contender, challengers, evolve
from trading.improve.improvement import improve
from trading.improve.limits import Budget
from trading.improve.search import Search
from trading.instruments import get_instrument
from trading.strategies.registry import STRATEGIES, get_strategy

BOTS = 100
ROUNDS = ("IMPROVE", "IMPROVE", "EVOLVE")
MOST = 5
MONTHS = ("2024-01", "2024-02", "2024-03")


@dataclass(slots=True)
class _Bot:
    """A bot, what it runs on, and what came of its rounds."""

    number: int
    symbol: str
    windows: tuple[Window, ...]
    contender: Contender
    tried: int = 0
    adopted: int = 0


def run(bots: int = BOTS) -> list[Row]:
    """Improve every bot and count what was adopted."""
    adopted = sum(_improved(number).adopted for number in range(bots))
    of = bots * len(ROUNDS)
    most = MOST * bots / BOTS
    return [Row("adopted on simulated bars", f"{adopted} of {of}", None, f"under {most:g}", adopted < most)]


def _improved(number: int) -> _Bot:
    symbol, name = SYMBOLS[number % len(SYMBOLS)], list(STRATEGIES)[number % len(STRATEGIES)]
    instrument, strategy = get_instrument(symbol), get_strategy(name)
    bars = concatenate([simulate_month(instrument, month, 1_000 + number) for month in MONTHS])
    bot = _Bot(number, symbol, windows(bars, instrument), Contender(strategy, strategy.parse({})))
    for turn, kind in enumerate(ROUNDS):
        search = _begun(bot, kind, seed=7 * number + turn)
        while search.step():
            pass
        assert search.verdict is not None
        bot.tried = int(search.verdict.evidence["tried"])
        if search.verdict.adopt:
            bot.adopted += 1
            won = search.verdict.evidence["candidate"]["params"]
            chosen = get_strategy(won["strategy"]) if kind == "EVOLVE" else bot.contender.strategy
            bot.contender = Contender(chosen, chosen.parse(won["params"] if kind == "EVOLVE" else won))
            print(f"{symbol} {name}: {kind} adopted {won}", file=sys.stderr)
    return bot


def _begun(bot: _Bot, kind: str, *, seed: int) -> Search:
    instrument, present = get_instrument(bot.symbol), bot.contender
    costs, budget = Costs.default(instrument), Budget(tried_before=bot.tried)
    if kind == "IMPROVE":
        return improve(bot.windows, present.strategy, present.params, instrument, costs, seed=seed, budget=budget)
    against = challengers(present.strategy, STRATEGIES.values(), seed=seed, size=budget.sets - 1)
    return evolve(bot.windows, present, against, instrument, costs, budget=budget)


if __name__ == "__main__":
    print_table("overfit_sim", run())
