"""How long a file's bars are, judged by the steps between their times."""

from typing import Final

import numpy as np

from core.errors import GantryError, invalid
from trading.bars.schema import NS_PER_SECOND, IntArray

_MINUTE_NS: Final = 60 * NS_PER_SECOND
_UNITS: Final = (("day", 1440 * _MINUTE_NS), ("hour", 60 * _MINUTE_NS), ("minute", _MINUTE_NS))
_HALF_A_DAY: Final = 720
_HOUR: Final = 60
_CHANCES: Final = 10_000


def refuse_other_lengths(name: str, ns: IntArray) -> None:
    """Refuse bars that are longer or shorter than a minute. name: of the file. ns: int64[T], times in any order.

    One-minute bars of a contract that hardly trades are minutes apart too, but by no common step: n steps are all
    multiples of m minutes in one of m to the power of n cases.

    Raises:
        GantryError: VALIDATION_FAILED, naming the length.

    """
    steps = _steps(ns)
    if not len(steps):
        return
    if (steps % _MINUTE_NS).any():
        if np.median(steps) < _MINUTE_NS:
            raise _other_length(name, float(np.median(steps)), "Make one-minute bars of them, and give those.")
        return
    minutes = steps // _MINUTE_NS
    common, shortest = int(np.gcd.reduce(minutes)), int(minutes.min())
    # Days end at other hours on some of them, and clocks change: their common step may be short.
    daily = len(minutes) > 1 and shortest >= _HALF_A_DAY and common >= 5
    by_chance = common < _HOUR and common ** min(len(minutes), 64) < _CHANCES
    if daily or not by_chance:
        apart = float(np.median(steps)) if daily else shortest * _MINUTE_NS
        raise _other_length(name, apart, "Give one-minute bars; longer ones are made from them.")


def _steps(ns: IntArray) -> IntArray:
    """Steps between the different times, in order of time."""
    if (ns[1:] < ns[:-1]).any():
        ns = np.sort(ns)
    steps: IntArray = ns[1:] - ns[:-1]
    return steps[steps > 0]


def _other_length(name: str, ns: float, fix: str) -> GantryError:
    unit, size = next(((unit, size) for unit, size in _UNITS if ns >= size), ("second", NS_PER_SECOND))
    count = f"{ns / size:.6g}"
    apart = f"{count} {unit}" if count == "1" else f"{count} {unit}s"
    return invalid(f"{name} holds bars that are {apart} apart, not one-minute bars.", fix=fix, facts={"apart": apart})
