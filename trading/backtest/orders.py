"""One call of vectorbt's signal simulator, and nothing else of vectorbt.

Settings that matter, each measured to change the result when wrong: `init_cash` without end (a small one fills
partially, silently), brackets anchored on the fill price, stop exits at the stop price (`StopLimit`, slipped later, as
targets must not be), reversal on an opposite entry, NaN prices on decision rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from inspect import Parameter, signature
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import invalid
from trading.backtest.rows import DueEntry, EngineRows
from trading.bars.schema import FloatArray, IntArray
from trading.strategies.base import FLAT, LONG, SHORT

ENGINES: Final = ("auto", "rust", "numba")
_ENDLESS_CASH: Final = 1e100
# A stop a quarter of a tick inside its distance: prices are whole ticks, so a touch can't be missed by rounding,
# and the nearest tick of the fill is the stop itself.
_INSIDE_TICKS: Final = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """F fills in order: the row, int64[F]; the price in ticks above offset; contracts; and whether it bought."""

    row: IntArray
    price: FloatArray
    size: FloatArray
    bought: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Simulator:
    """One of vectorbt's two signal simulators, and vectorbt's own default of every argument it takes."""

    call: Callable[..., tuple[NDArray[np.void], object]]
    arguments: dict[str, object]


@cache
def _simulator(engine: str) -> _Simulator:
    """Return what `vectorbt.portfolio.dispatch.simulate_from_signals` would call, without its 0.4 ms of checks.

    They find out whether rust can take the arrays, 76 times a call; here it always can. That is a fifth of a
    bot without brackets.
    """
    from vectorbt.portfolio.dispatch import simulate_from_signals

    defaults = {
        name: given.default
        for name, given in signature(simulate_from_signals).parameters.items()
        if given.default is not Parameter.empty and name != "engine"
    }
    if engine == "rust":
        from vectorbt_rust.portfolio import simulate_from_signals_rs

        return _Simulator(simulate_from_signals_rs, defaults)
    from vectorbt.portfolio.nb import simulate_from_signals_nb

    del defaults["seed"]  # the numba simulator draws from numpy's global generator, and here nothing is drawn
    return _Simulator(simulate_from_signals_nb, defaults)


@cache
def resolve_engine(engine: str) -> str:
    """Return "rust" or "numba".

    Raises:
        GantryError: VALIDATION_FAILED for an unknown engine, or rust where it isn't installed.

    """
    if engine not in ENGINES:
        raise invalid(f"Unknown engine {engine!r}.", fix=f"Use one of {', '.join(ENGINES)}.", field="engine")
    has_rust = find_spec("vectorbt_rust") is not None
    if engine == "rust" and not has_rust:
        raise invalid("vectorbt-rust isn't installed.", fix="Install it, or use --engine numba.", field="engine")
    return "rust" if engine != "numba" and has_rust else "numba"


def run_orders(
    rows: EngineRows,
    due: DueEntry,
    open_ticks: IntArray,
    *,
    offset: int,
    contracts: int,
    slip: int,
    ignore_opposite: bool,
    engine: str,
) -> Orders:
    """Let vectorbt fill the rows of one segment, starting flat."""
    from vectorbt.portfolio.enums import OppositeEntryMode, OrderSide, StopEntryPrice, StopExitPrice

    size = len(rows.bar)
    opens = (open_ticks[due.bar] + offset).astype(np.float64)
    flat = _scattered(rows, due.decision == FLAT)
    mode = OppositeEntryMode.Ignore if ignore_opposite else OppositeEntryMode.Reverse
    arguments = _simulator(engine).arguments | {
        "target_shape": (size, 1),
        "group_lens": np.array([1]),
        "init_cash": np.array([_ENDLESS_CASH]),
        "call_seq": np.zeros((size, 1), dtype=np.int64),
        "long_entries": _scattered(rows, due.decision == LONG),
        "short_entries": _scattered(rows, due.decision == SHORT),
        "long_exits": flat,
        "short_exits": flat,
        "size": np.asarray(float(contracts)),
        "price": _scattered(rows, opens),
        "slippage": _scattered(rows, slip / opens),
        "upon_opposite_entry": np.asarray(int(mode)),
        "stop_entry_price": np.asarray(int(StopEntryPrice.FillPrice)),
        "stop_exit_price": np.asarray(int(StopExitPrice.StopLimit)),
        "use_stops": rows.open is not None,
        "max_orders": 2 * len(due) + 1,
    }
    records, _ = _simulator(engine).call(**arguments | _brackets(rows, due, opens, slip))
    return Orders(
        np.ascontiguousarray(records["idx"]),
        np.ascontiguousarray(records["price"]),
        np.ascontiguousarray(records["size"]),
        records["side"] == int(OrderSide.Buy),
    )


def _brackets(rows: EngineRows, due: DueEntry, opens: FloatArray, slip: int) -> dict[str, NDArray[np.generic]]:
    """Prices of the rows and, at decision rows, the bracket as fractions of the fill, as vectorbt wants them."""
    if rows.open is None or rows.high is None or rows.low is None:
        return {}
    fills = opens + slip * np.where(due.decision == SHORT, -1, 1)
    return {
        "open": rows.open.reshape(-1, 1),
        "high": rows.high.reshape(-1, 1),
        "low": rows.low.reshape(-1, 1),
        "sl_stop": _scattered(rows, _fraction(due.stop, fills)),
        "tp_stop": _scattered(rows, _fraction(due.target, fills)),
    }


def _fraction(ticks: IntArray, fills: FloatArray) -> FloatArray:
    share: FloatArray = np.where(ticks > 0, (ticks - _INSIDE_TICKS) / fills, np.nan)
    return share


def _scattered(rows: EngineRows, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return (R, 1) zeros with the values at the decision rows; zero pages cost nothing until written."""
    full = np.zeros(len(rows.bar), dtype=values.dtype)
    full[rows.decided] = values
    return full.reshape(-1, 1)
