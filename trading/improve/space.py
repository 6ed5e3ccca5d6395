"""Parameter sets to try: drawn around a strategy's own, within its bounds, and the nearest neighbours of one.

A number much smaller than its upper bound (bars of an average, ticks of a stop) is varied by a factor, any other by a
share of its range; a time of day by quarters of an hour; any other text stays.
"""

from collections.abc import Callable, Iterator
from dataclasses import Field, fields, replace
from math import exp, log
from typing import Any, Final

import numpy as np

from trading.strategies.base import Params
from trading.strategies.clock_times import minute_of

_FACTOR: Final = 6.0  # a draw is between a sixth and six times the value it is drawn around
_SMALL: Final = 8.0  # the upper bound over a value that is varied by a factor
_SHARE: Final = 0.3  # of the range, to either side
_STEP: Final = 0.1  # of the value: how far away a neighbour is
_QUARTER: Final = 15  # minutes
_QUARTERS: Final = 8  # to either side
_DIGITS: Final = 3  # significant ones: a parameter is read by people
_TRIES: Final = 40  # draws per requested set: small spaces run out of new sets


def as_values(params: Params) -> dict[str, Any]:
    """Return {name: value}, ready for JSON and for `Strategy.parse`."""
    return {spec.name: getattr(params, spec.name) for spec in fields(params)}


def neighbours(params: Params) -> tuple[Params, ...]:
    """Return the valid sets that differ in one parameter by one small step, down then up, field by field.

    A step is a tenth of a number (at least 1 of a whole one; a hundredth of the range where it is 0), a quarter of an
    hour of a time.
    """
    found: list[Params] = []
    for spec in fields(params):
        for direction in (-1, 1):
            value = _stepped(spec, getattr(params, spec.name), direction)
            other = replace(params, **{spec.name: value})
            if other != params and not other.problems():
                found.append(other)
    return tuple(found)


def search_space(params: Params, *, seed: int, size: int) -> tuple[Params, ...]:
    """Return up to `size` different valid sets, `params` first, the rest drawn around it; the same for a seed.

    Fewer where the bounds leave fewer. Half of the draws change every parameter, half only one or two.
    """
    rng = np.random.default_rng(seed)
    found = {params: None}
    draws = _draws(params, rng)
    for _ in range(_TRIES * size):
        if len(found) >= size:
            break
        drawn = next(draws)
        if not drawn.problems():
            found.setdefault(drawn)
    return tuple(found)[:size]


def _draws(params: Params, rng: np.random.Generator) -> Iterator[Params]:
    specs = fields(params)
    while True:
        values = {spec.name: _drawn(spec, getattr(params, spec.name), rng) for spec in specs}
        if specs and rng.random() < 0.5:
            kept = rng.permutation(len(specs))[: int(rng.integers(1, 3))]
            values = {specs[int(index)].name: values[specs[int(index)].name] for index in kept}
        yield replace(params, **values)


def _drawn(spec: Field[Any], value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, bool):
        return bool(rng.integers(2))
    if isinstance(value, str):
        return _shifted(spec, value, int(rng.integers(-_QUARTERS, _QUARTERS + 1)))
    low, high = spec.metadata["low"], spec.metadata["high"]
    around: float = value or spec.default  # type: ignore[assignment] # 0 may stand for "none": a draw is what it might be
    if around > 0 and high / around >= _SMALL:
        drawn = around * exp(rng.uniform(-log(_FACTOR), log(_FACTOR)))
    else:
        drawn = around + (high - low) * rng.uniform(-_SHARE, _SHARE)
    return _fitted(spec, value, drawn)


def _stepped(spec: Field[Any], value: Any, direction: int) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _shifted(spec, value, direction)
    step = abs(value) * _STEP or (spec.metadata["high"] - spec.metadata["low"]) / 100
    if isinstance(value, int):
        step = max(1, round(step))
    return _fitted(spec, value, value + direction * step)


def _fitted(spec: Field[Any], value: Any, wanted: float) -> Any:
    """Return the number of the value's type within its bounds, short enough to read."""
    rounded: Callable[[float], float] = round if isinstance(value, int) else _short
    low, high = spec.metadata["low"], spec.metadata["high"]
    return type(value)(min(max(rounded(wanted), low), high))


def _short(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _shifted(spec: Field[Any], text: str, quarters: int) -> str:
    """Return the time so many quarters of an hour away, within its bounds; a text that is not a time as it is."""
    try:
        minute, low, high = (minute_of(each) for each in (text, spec.metadata["low"], spec.metadata["high"]))
    except ValueError:
        return text
    hours, minutes = divmod(min(max(minute + quarters * _QUARTER, low), high), 60)
    return f"{hours:02d}:{minutes:02d}"
