"""What a strategy is: frozen parameters with bounds, units and defaults, and one pure function of a view.

A user adds one as one file in this folder and one line in `registry`; the contract tests run it for free.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ErrorCode, FieldProblem, GantryError
from trading.bars.schema import FloatArray, IntArray

HOLD: Final = 0
LONG: Final = 1
SHORT: Final = -1
FLAT: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class MarketView:
    """All that a strategy may read: T closed bars of one window, roll-adjusted.

    open, high, low, close: float64[T], price units, difference-adjusted. volume: int64[T].
    ts: int64[T] ns UTC open. session: int64[T] ordinal of the trading day.
    local_minute: int64[T], minutes after midnight of the bar's open in exchange time, 0 to 1439.
    session_minute: int64[T], the same from midnight of the trading day: negative on the evening before.
    session_ending: bool[T], by the calendar: True from the bar on whose successor is the session's last, so that
    FLAT decided there fills in the session even when it closes early; on every bar of a day that the calendar has no
    session for. tick_size: price units.
    """

    ts: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: IntArray
    session: IntArray
    local_minute: IntArray
    session_minute: IntArray
    session_ending: NDArray[np.bool_]
    tick_size: float

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What a strategy decides at each bar's close, to be filled at the next bar's open.

    target: int8[T] of HOLD 0, LONG 1, SHORT -1, FLAT 2. LONG and SHORT reverse an opposite position, unless
    entries_only_when_flat, when they are ignored while in the market; on the side held already they are HOLD.
    stop_ticks, target_ticks: int64[T] distance from the fill in ticks, 0 = none, read at the bar of the entry
    decision; None = the strategy has none.
    """

    target: NDArray[np.int8]
    stop_ticks: IntArray | None = None
    target_ticks: IntArray | None = None
    entries_only_when_flat: bool = False


def param(default: Any, *, low: Any, high: Any, unit: str, doc: str) -> Any:
    """Declare a parameter: default, inclusive bounds, unit and one sentence."""
    return field(default=default, metadata={"low": low, "high": high, "unit": unit, "doc": doc})


@dataclass(frozen=True, slots=True)
class Params:
    """Base of every strategy's parameters; subclasses add fields made by `param`."""

    def problems(self) -> list[FieldProblem]:
        """Say what single-field bounds and, in subclasses, cross-field rules are broken."""
        found: list[FieldProblem] = []
        for spec in fields(self):
            value, low, high = getattr(self, spec.name), spec.metadata["low"], spec.metadata["high"]
            if type(value) is not type(spec.default):
                found.append(FieldProblem(spec.name, "type", f"{spec.name} must be {type(spec.default).__name__}."))
            elif not low <= value <= high:
                found.append(FieldProblem(spec.name, "bounds", f"{spec.name} must be from {low} to {high}."))
        return found


class Strategy(ABC):
    """One rule of entry and exit. Stateless: decide() is a pure function of the view and the parameters."""

    name: ClassVar[str]
    label: ClassVar[str]
    params_type: ClassVar[type[Params]]

    @abstractmethod
    def decide(self, view: MarketView, params: Any) -> Decisions:
        """Return one decision a bar; decision i may read bars 0..i only."""

    @abstractmethod
    def warmup(self, params: Any) -> int:
        """Return the first bar index at which a decision may differ from HOLD."""

    def parse(self, raw: Mapping[str, object]) -> Params:
        """Return validated parameters from a mapping (JSON values or CLI texts).

        Raises:
            GantryError: VALIDATION_FAILED with one detail per unknown, mistyped or out-of-bounds parameter.

        """
        known = {spec.name: spec for spec in fields(self.params_type)}
        details = [
            FieldProblem(name, "unknown", f"{self.name} has no parameter {name!r}.")
            for name in raw
            if name not in known
        ]
        values: dict[str, object] = {}
        for name, value in raw.items():
            if name in known:
                values[name] = _coerced(value, known[name].default)
        params = self.params_type(**values)
        details += params.problems()
        if details:
            raise GantryError(
                ErrorCode.VALIDATION_FAILED,
                f"Parameters of {self.name} are wrong: " + " ".join(problem.message for problem in details),
                fix=f"{self.name} takes " + ", ".join(_described(spec) for spec in known.values()) + ".",
                details=tuple(details),
            )
        return params


def _coerced(value: object, default: object) -> object:
    """Turn a text (from a command line) or an integral float into the default's type where that loses nothing."""
    try:
        if isinstance(value, str) and not isinstance(default, str):
            return type(default)(value)  # type: ignore[call-arg]
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(default) is int and isinstance(value, float) and value.is_integer():
            return int(value)
    except (ValueError, OverflowError):  # a whole number may be too large for a float
        return value
    return value


def _described(spec: Any) -> str:
    meta = spec.metadata
    return f"{spec.name} ({meta['low']} to {meta['high']}, {meta['unit']}, default {spec.default})"
