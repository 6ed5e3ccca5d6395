"""The starter pack's plan: which bots a fleet begins with, in which order. Six strategies, symbols, parameter sets.

The first bots of a plan differ as much as they can: it walks diagonally over strategies and symbols, then goes on to
the next parameter set. Set 1 of a strategy is its defaults; the others change two parameters, the nearest values first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lcm
from typing import Final

MAX_BOTS: Final = 1_000
DEFAULT_BOTS: Final = 20
# Taken when there are no bars at all; the simulator makes these at a first start.
DEFAULT_SYMBOLS: Final = ("ES", "NQ", "CL", "GC", "6E")


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter and the values it takes, the default first."""

    name: str
    values: tuple[int | float | str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One bot of the pack. `key` is its place, the same for ever; `number` is its parameter set, from 1."""

    symbol: str
    strategy: str
    number: int
    params: dict[str, int | float | str]

    @property
    def key(self) -> str:
        """The place, such as ES/sma_cross/1."""
        return f"{self.symbol}/{self.strategy}/{self.number}"

    @property
    def name(self) -> str:
        """The bot's name, unless a bot has it already."""
        return f"{self.symbol} {self.strategy} {self.number}"


# 13 values each: 169 sets a strategy, so that one symbol alone has places for 1,014 bots.
GRIDS: Final[dict[str, tuple[Axis, Axis]]] = {
    "sma_cross": (
        Axis("fast", (20, 10, 30, 15, 40, 5, 25, 35, 8, 12, 45, 50, 60)),
        Axis("slow", (100, 200, 150, 80, 300, 120, 250, 400, 500, 180, 600, 90, 75)),
    ),
    "rsi_reversion": (
        Axis("period", (14, 7, 21, 10, 28, 5, 35, 42, 12, 18, 24, 9, 50)),
        Axis("stop_ticks", (20, 12, 30, 16, 40, 10, 24, 50, 60, 14, 36, 80, 100)),
    ),
    "donchian_breakout": (
        Axis("channel", (60, 30, 120, 45, 90, 20, 180, 240, 75, 150, 300, 15, 360)),
        Axis(
            "entry_until", ("14:45", *(f"{hour:02}:{minute}" for hour in range(14, 8, -1) for minute in ("30", "00")))
        ),
    ),
    "bollinger_reversion": (
        Axis("period", (60, 30, 120, 45, 90, 20, 180, 240, 75, 150, 300, 15, 360)),
        Axis("width", (2.0, 2.5, 1.5, 3.0, 1.75, 2.25, 2.75, 1.25, 3.5, 1.0, 4.0, 3.25, 3.75)),
    ),
    "atr_momentum": (
        Axis("lookback", (60, 30, 120, 45, 90, 20, 180, 240, 75, 150, 300, 15, 360)),
        Axis("threshold", (4.0, 3.0, 5.0, 3.5, 6.0, 2.5, 4.5, 5.5, 7.0, 2.0, 8.0, 6.5, 10.0)),
    ),
    "vwap_reversion": (
        Axis("min_bars", (60, 30, 120, 45, 90, 20, 180, 240, 75, 150, 300, 15, 360)),
        Axis("width", (2.0, 2.5, 1.5, 3.0, 1.75, 2.25, 2.75, 1.25, 3.5, 1.0, 4.0, 3.25, 3.75)),
    ),
}


def places(symbols: Sequence[str]) -> Iterator[Place]:
    """Yield every place of the pack on these symbols, in order: each (symbol, strategy, set) once."""
    strategies = list(GRIDS)
    turn = lcm(len(strategies), len(symbols)) if symbols else 1
    sets = {name: list(_sets(*axes)) for name, axes in GRIDS.items()}
    for index in range(min(map(len, sets.values()))):
        for step in range(len(strategies) * len(symbols)):
            strategy = strategies[step % len(strategies)]
            # Where the two counts share a divisor the diagonal would close early: each turn starts one further.
            symbol = symbols[(step + step // turn) % len(symbols)]
            yield Place(symbol, strategy, index + 1, sets[strategy][index])


def _sets(first: Axis, second: Axis) -> Iterator[dict[str, int | float | str]]:
    """Yield every pair of values, those nearest to the defaults first."""
    steps = sorted(
        ((i, j) for i in range(len(first.values)) for j in range(len(second.values))), key=lambda at: (sum(at), at)
    )
    for i, j in steps:
        yield {first.name: first.values[i], second.name: second.values[j]}
