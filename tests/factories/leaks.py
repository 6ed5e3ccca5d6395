"""Strategies with a planted fault each: what the guards are there to catch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trading.bars.schema import FloatArray
from trading.strategies.base import FLAT, LONG, SHORT, Decisions, MarketView, Params, Strategy


@dataclass(frozen=True, slots=True)
class NoParams(Params):
    """None."""


def crosses(x: FloatArray, level: FloatArray | float = 0.0) -> NDArray[np.int8]:
    """LONG where x rises above the level, SHORT where it falls below."""
    above = x > level
    target = np.zeros(len(x), np.int8)
    target[1:][above[1:] & ~above[:-1]] = LONG
    target[1:][~above[1:] & above[:-1]] = SHORT
    return target


class Faulty(Strategy):
    """Asks a function of the view; nothing is decided before bar 2 unless the function does so."""

    name = "faulty"
    label = "Planted fault"
    params_type: ClassVar[type[Params]] = NoParams

    def __init__(self, rule: Callable[[MarketView], NDArray[np.int8] | Decisions], warmup: int = 1) -> None:
        self._rule, self._warmup = rule, warmup

    def warmup(self, params: Params) -> int:  # noqa: ARG002 - every strategy is asked so
        return self._warmup

    def decide(self, view: MarketView, params: Params) -> Decisions:  # noqa: ARG002 - the same
        found = self._rule(view)
        return found if isinstance(found, Decisions) else Decisions(found)


def honest(view: MarketView) -> NDArray[np.int8]:
    """Follow the last move: the past alone."""
    return crosses(np.diff(view.close, prepend=view.close[:1]))


def next_close(view: MarketView) -> NDArray[np.int8]:
    """Buy what rises in the next bar."""
    return crosses(np.append(view.close[1:], view.close[-1:]) - view.close)


def next_open(view: MarketView) -> NDArray[np.int8]:
    """Look at the open it will be filled at."""
    return crosses(np.append(view.open[1:], view.close[-1:]) - view.close)


def next_close_wrapped(view: MarketView) -> NDArray[np.int8]:
    """The same by np.roll, whose last bar wraps around to the first."""
    return crosses(np.roll(view.close, -1) - view.close)


def whole_mean(view: MarketView) -> NDArray[np.int8]:
    """Trade around the mean of the whole sample."""
    return crosses(view.close, float(view.close.mean()))


def whole_zscore(view: MarketView) -> NDArray[np.int8]:
    """Scale by the deviation of the whole sample."""
    change = np.diff(view.close, prepend=view.close[:1])
    return crosses(np.abs(change) / (change.std() + 1e-9), 1.5)


def whole_extremes(view: MarketView) -> NDArray[np.int8]:
    """Buy near the lowest low there will ever be."""
    span = view.high.max() - view.low.min()
    return crosses((view.close - view.low.min()) / (span + 1e-9), 0.4)


def centred_average(view: MarketView) -> NDArray[np.int8]:
    """Smooth with a kernel that reaches ten bars ahead."""
    return crosses(view.close - np.convolve(view.close, np.ones(21) / 21, mode="same"))


def session_close(view: MarketView) -> NDArray[np.int8]:
    """Know where the session will close."""
    last = np.searchsorted(view.session, view.session, side="right") - 1
    return crosses(view.close[last] - view.close)


def next_session_close(view: MarketView) -> NDArray[np.int8]:
    """Know where the next session will close."""
    last = np.searchsorted(view.session, view.session + 3, side="right") - 1
    return crosses(view.close[last] - view.close)


def back_filled(view: MarketView) -> NDArray[np.int8]:
    """Fill quiet bars with the next lively one's close."""
    lively = np.flatnonzero(view.volume > 250)
    at = np.minimum(np.searchsorted(lively, np.arange(len(view))), max(len(lively) - 1, 0))
    return crosses(view.close[lively[at]] - view.close if len(lively) else view.close * 0)


def bars_left(view: MarketView) -> NDArray[np.int8]:
    """Know where the data end."""
    target = honest(view)
    target[len(view) // 2 :] = FLAT
    return target


def stop_from_the_future(view: MarketView) -> Decisions:
    """Enter honestly, with a stop just beyond the next bar's low."""
    reach = np.rint((view.close - np.append(view.low[1:], view.low[-1:])) / view.tick_size)
    stop = np.maximum(1, reach + 1).astype(np.int64)
    return Decisions(honest(view), stop_ticks=stop, entries_only_when_flat=True)


def needs_the_future(view: MarketView) -> NDArray[np.int8]:
    """Raise where the bars end too soon."""
    if len(view) < 2000:
        msg = "too few bars"
        raise ValueError(msg)
    return honest(view)


READS_AHEAD: tuple[Callable[[MarketView], NDArray[np.int8] | Decisions], ...] = (
    next_close,
    next_open,
    next_close_wrapped,
    whole_mean,
    whole_zscore,
    whole_extremes,
    centred_average,
    session_close,
    next_session_close,
    back_filled,
    bars_left,
    stop_from_the_future,
    needs_the_future,
)
