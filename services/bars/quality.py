"""Great Expectations over one symbol-month of bars: the same rules again, by a library that knows nothing of ours.

It takes four seconds to import, so that happens inside the check that uses it.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trading.bars.schema import Bars
from trading.bars.ticks import off_grid
from trading.instruments import Instrument
from trading.sessions import MINUTE_NS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One expectation: what it says, whether it held, in how many rows it didn't, and up to five values seen there."""

    name: str
    passed: bool
    unexpected_count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Expected:
    """A sentence, and how Great Expectations says it."""

    name: str
    make: Callable[[Any], Any]


def _present(column: str) -> _Expected:
    return _Expected(f"Every bar has its {column}", lambda gxe: gxe.ExpectColumnValuesToNotBeNull(column=column))


_EXPECTED = (
    _Expected("There are bars", lambda gxe: gxe.ExpectTableRowCountToBeBetween(min_value=1)),
    _Expected(
        "Each contract has at most one bar a minute",
        lambda gxe: gxe.ExpectCompoundColumnsToBeUnique(column_list=["ts", "contract"]),
    ),
    _Expected("Bars are in order of time", lambda gxe: gxe.ExpectColumnValuesToBeBetween(column="step", min_value=0)),
    _Expected(
        "Times are whole minutes", lambda gxe: gxe.ExpectColumnValuesToBeInSet(column="past_minute", value_set=[0])
    ),
    _Expected(
        "All bars are of one calendar month",
        lambda gxe: gxe.ExpectColumnUniqueValueCountToBeBetween(column="month", min_value=1, max_value=1),
    ),
    *(_present(column) for column in ("open", "high", "low", "close")),
    _Expected(
        "No high is below its open or close",
        lambda gxe: gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="high", column_B="top", or_equal=True),
    ),
    _Expected(
        "No low is above its open or close",
        lambda gxe: gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="bottom", column_B="low", or_equal=True),
    ),
    _Expected(
        "Every price is on the tick grid", lambda gxe: gxe.ExpectColumnValuesToBeInSet(column="off_grid", value_set=[0])
    ),
    _Expected("No volume is negative", lambda gxe: gxe.ExpectColumnValuesToBeBetween(column="volume", min_value=0)),
)
_POSITIVE = _Expected(
    "Every price is above zero",
    lambda gxe: gxe.ExpectColumnValuesToBeBetween(column="low", min_value=0, strict_min=True),
)

_ONE_AT_A_TIME = threading.Lock()  # the library keeps one context for the whole process


def validate_bars(bars: Bars, instrument: Instrument) -> tuple[ExpectationResult, ...]:
    """Return what held and what didn't, one result an expectation, always the same ones for an instrument.

    bars: one-minute bars of one symbol-month. Prices must be above zero unless the instrument's may be negative.
    """
    with _ONE_AT_A_TIME:
        return _validated(bars, instrument)


def _validated(bars: Bars, instrument: Instrument) -> tuple[ExpectationResult, ...]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # nothing leaves this machine
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    expected = _EXPECTED if instrument.may_be_negative else (*_EXPECTED, _POSITIVE)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("bars")
        .add_dataframe_asset("month")
        .add_batch_definition_whole_dataframe("whole")
        .get_batch({"dataframe": _frame(bars, instrument)})
    )
    return tuple(_result(one.name, batch.validate(one.make(gx.expectations))) for one in expected)


def _frame(bars: Bars, instrument: Instrument) -> "pd.DataFrame":
    """The bars as columns, with those derived that a rule compares."""
    import pandas as pd

    outside = np.zeros(len(bars), np.bool_)
    for prices in bars.ohlc():
        outside |= off_grid(prices, instrument)
    return pd.DataFrame(
        {
            "ts": bars.ts,
            "contract": bars.contract,
            "step": np.diff(bars.ts, prepend=bars.ts[:1]),
            "past_minute": bars.ts % MINUTE_NS,
            "month": bars.ts.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "top": np.maximum(bars.open, bars.close),
            "bottom": np.minimum(bars.open, bars.close),
            "off_grid": outside.astype(np.int64),
            "volume": bars.volume,
        }
    )


def _result(name: str, outcome: Any) -> ExpectationResult:
    found = outcome.result or {}
    examples = tuple(str(value) for value in found.get("partial_unexpected_list", [])[:5])
    count = int(found.get("unexpected_count") or 0)
    passed = bool(outcome.success)
    return ExpectationResult(name, passed, count if count or passed else 1, examples)
