"""The bots of `gantry demo`: every strategy of the registry with three parameter sets each."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from trading.strategies.base import Params, Strategy

PACES: Mapping[str, float] = {"quick": 0.5, "default": 1.0, "slow": 2.0}


@dataclass(frozen=True, slots=True)
class DemoBot:
    """One bot to make: its name, strategy and parameters (all of them, JSON values)."""

    name: str
    strategy: str
    params: Mapping[str, object]


def demo_bots(strategies: Mapping[str, Strategy], symbol: str) -> tuple[DemoBot, ...]:
    """Return three bots a strategy: its defaults, and every length in bars halved and doubled within its bounds."""
    return tuple(
        DemoBot(f"{symbol} {pace} {name}", name, paced(strategy.params_type, factor))
        for name, strategy in strategies.items()
        for pace, factor in PACES.items()
    )


def paced(params_type: type[Params], factor: float) -> dict[str, object]:
    """Return the default parameters with every whole number of bars scaled, within its bounds."""
    values: dict[str, object] = {}
    for spec in fields(params_type):
        value = spec.default
        if spec.metadata["unit"] == "bars" and type(value) is int:
            value = min(max(round(value * factor), spec.metadata["low"]), spec.metadata["high"])
        values[spec.name] = value
    return values
