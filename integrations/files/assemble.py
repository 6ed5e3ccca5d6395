"""From a file's rows to valid bars, or an error that names the row."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import bad_data
from integrations.files.length import refuse_other_lengths
from integrations.files.payload import Payload
from integrations.files.types import FileBars
from trading.bars.contracts import in_order
from trading.bars.faults import faults
from trading.bars.quality_failed import too_many
from trading.bars.quality_types import ProblemCode, stamp
from trading.bars.schema import Bars, IntArray
from trading.bars.ticks import from_ticks, to_ticks
from trading.instruments import Instrument, get_instrument
from trading.sessions import FIRST_YEAR, LAST_YEAR, session_of

_EXPORT_AGAIN: Final = "Export the bars again from their source, and import that."
_FIXES: Final = {
    ProblemCode.OFF_GRID: "Check that --symbol is right and that prices are in price units, unadjusted and unscaled.",
    ProblemCode.OFF_MINUTE: "Give one-minute bars stamped on the minute, in UTC or with --tz.",
}
_LONGEST_NAME: Final = 40  # characters of a contract's name


@dataclass(frozen=True, slots=True, eq=False)
class RawBars:
    """bars: as they stand in the file, in its order. numbers: int64[T], each row's number there, for messages.

    word: what a row is called: line, row or record.
    """

    bars: Bars
    numbers: IntArray
    word: str


def assemble(payload: Payload, rows: RawBars, details: dict[str, Any]) -> FileBars:
    """Return the bars sorted, with prices exactly on ticks.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol or bars longer than a minute; DATA_QUALITY_FAILED
            for the first row that is out of order, doubled, or no possible bar; a high or low that isn't one is
            left to `trading.bars.quality` where few sessions have such bars.

    """
    instrument = get_instrument(rows.bars.symbol)
    if not len(rows.bars):
        raise bad_data(f"{payload.name} holds no bars of {rows.bars.symbol}.", fix=_EXPORT_AGAIN)
    _check_names(payload.name, rows.bars.contracts)
    _check_times(payload.name, rows)
    for fault in faults(rows.bars, instrument):
        if fault.code is ProblemCode.OHLC_VIOLATION and _in_few_sessions(rows.bars, fault.wrong, instrument):
            continue
        row, count = int(fault.wrong.argmax()), int(fault.wrong.sum())
        more = f" ({count} such bars)" if count > 1 else ""
        raise bad_data(
            f"{_place(payload.name, rows, row)}: the bar has {fault.what}{more}.",
            fix=_FIXES.get(fault.code, _EXPORT_AGAIN),
            facts={"problem": fault.code.value, "row": int(rows.numbers[row]), "count": count},
        )
    _check_order(payload.name, rows)
    bars = _sorted(rows.bars, instrument)
    refuse_other_lengths(payload.name, bars.ts)
    return FileBars(bars, payload.name, payload.sha256, {"compression": payload.compression, **details})


def _in_few_sessions(bars: Bars, wrong: NDArray[np.bool_], instrument: Instrument) -> bool:
    """Whether so few sessions have impossible bars that these can be put aside alone, which `quality` does."""
    session = session_of(instrument, bars.ts).session
    return not too_many(len(np.unique(session[wrong])), len(np.unique(session)))


def _check_names(name: str, contracts: tuple[str, ...]) -> None:
    for contract in contracts:
        if len(contract) > _LONGEST_NAME or not contract.isprintable():
            raise bad_data(
                f"{name} has a contract named {contract[:_LONGEST_NAME]!r}.",
                fix="Name contracts like ESH4 or ES 202403, or remove the column.",
            )


def _check_times(name: str, rows: RawBars) -> None:
    year = rows.bars.ts.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    wrong = (year < FIRST_YEAR) | (year > LAST_YEAR)
    if wrong.any():
        row = int(wrong.argmax())
        raise bad_data(
            f"{_place(name, rows, row)}: no bar is of the year {year[row]}.",
            fix="Check the unit of the times: seconds, milliseconds, microseconds or nanoseconds since 1970.",
        )


def _check_order(name: str, rows: RawBars) -> None:
    """Rows of each contract must go forward in time; contracts may stand one after another or mixed."""
    order = np.argsort(rows.bars.contract, kind="stable")
    step = np.diff(rows.bars.ts[order])
    wrong = (np.diff(rows.bars.contract[order]) == 0) & (step <= 0)
    if not wrong.any():
        return
    at = int(np.flatnonzero(wrong)[np.argmin(order[1:][wrong])])
    row, before = int(order[at + 1]), int(order[at])
    when = stamp(rows.bars.ts[row])
    if step[at] == 0:
        problem, what = ProblemCode.DUPLICATED, f"a second bar of {when}, after {rows.word} {rows.numbers[before]}"
    else:
        problem, what = ProblemCode.UNSORTED, f"the bar of {when} comes after that of {stamp(rows.bars.ts[before])}"
    raise bad_data(
        f"{_place(name, rows, row)}: {what}.",
        fix="Export the bars in order of time, each once"
        + (", with a contract column if expiries are mixed." if step[at] == 0 else "."),
        facts={"problem": problem.value, "row": int(rows.numbers[row])},
    )


def _sorted(bars: Bars, instrument: Instrument) -> Bars:
    names = in_order(bars.contracts)
    number = np.array([names.index(name) for name in bars.contracts], np.int32)
    contract = number[bars.contract]
    opens, highs, lows, closes = (from_ticks(to_ticks(prices, instrument), instrument) for prices in bars.ohlc())
    on_ticks = replace(bars, open=opens, high=highs, low=lows, close=closes, contract=contract, contracts=names)
    return on_ticks.take(np.lexsort((contract, bars.ts)))


def _place(name: str, rows: RawBars, row: int) -> str:
    return f"{name}, {rows.word} {rows.numbers[row]}"
