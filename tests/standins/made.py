"""Bars for stand-ins, few enough for every test: some sessions of a made month, with a roll in their middle."""

from typing import Final

import numpy as np

from integrations.simulator.months import simulate_month
from trading.bars.schema import Bars
from trading.instruments import get_instrument

_EACH_SIDE: Final = 1500


def bars_around_a_roll(symbol: str = "ES", month: str = "2024-03", seed: int = 7) -> Bars:
    """Return 1500 bars of a contract and the 1500 of the next that follow, all of that month.

    Raises:
        IndexError: the month has no roll.

    """
    bars = simulate_month(get_instrument(symbol), month, seed)
    roll = int(np.flatnonzero(np.diff(bars.contract))[0]) + 1
    return bars.take(slice(roll - _EACH_SIDE, roll + _EACH_SIDE))
