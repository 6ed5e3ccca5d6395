"""Where decisions differ from those on other bars: the first bar, the column, and its two values."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.errors import GantryError
from trading.backtest.run import decide
from trading.strategies.base import FLAT, HOLD, LONG, SHORT, Decisions, MarketView, Params, Strategy

_TARGETS: Final = {HOLD: "HOLD", LONG: "LONG", SHORT: "SHORT", FLAT: "FLAT"}
_COLUMNS: Final = ("target", "stop_ticks", "target_ticks")


@dataclass(frozen=True, slots=True)
class Moved:
    """A decision that differs. bar: of the view. before, after: the column's values as texts."""

    bar: int
    value: str
    before: str
    after: str


def moved_on(view: MarketView, strategy: Strategy, params: Params, decisions: Decisions, cut: int) -> Moved | None:
    """Return the first decision up to bar `cut` that differs when the strategy decides on `view`; None without one."""
    try:
        changed = decide(strategy, params, view)
    except GantryError as error:  # a strategy that can't decide without its future reads it
        return Moved(cut, "the decision", "made", f"an error ({error.message.rstrip('.')})")
    return first_difference(decisions, changed, cut + 1)


def first_difference(one: Decisions, other: Decisions, size: int) -> Moved | None:
    """Return the first of the first `size` decisions that differs; None where all are the same."""
    if one.entries_only_when_flat != other.entries_only_when_flat:
        flags = (str(each.entries_only_when_flat) for each in (one, other))
        return Moved(0, "entries_only_when_flat", *flags)
    found = [moved for name in _COLUMNS if (moved := _in_column(name, one, other, size))]
    return min(found, key=lambda moved: moved.bar, default=None)


def _in_column(name: str, one: Decisions, other: Decisions, size: int) -> Moved | None:
    a, b = getattr(one, name), getattr(other, name)
    if a is None and b is None:
        return None
    if a is None or b is None:
        return Moved(0, name, "none" if a is None else "given", "none" if b is None else "given")
    left, right = np.asarray(a)[:size], np.asarray(b)[:size]
    if left.shape != right.shape:
        return Moved(min(len(left), len(right)), name, f"{len(left)} bars", f"{len(right)} bars")
    differing = left != right
    if not differing.any():
        return None
    bar = int(np.argmax(differing))
    return Moved(bar, name, _text(name, left[bar]), _text(name, right[bar]))


def _text(name: str, value: Any) -> str:
    return _TARGETS.get(value.item(), str(value)) if name == "target" else str(value)
