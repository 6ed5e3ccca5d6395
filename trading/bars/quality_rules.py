"""Rules that the rows of some bars must keep: no faulty bar, sorted by (ts, contract), each once.

A change of over 10 % from one close to the next open of a contract within a session is a warning, and so are bars
that name no contract.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.words import counted
from trading.bars.contracts import rolls_unseen
from trading.bars.faults import faults
from trading.bars.quality_types import EXPORT_AGAIN, Problem, ProblemCode, ProblemLevel, stamp
from trading.bars.schema import Bars, IntArray
from trading.instruments import Instrument
from trading.sessions import session_of

JUMP: Final = 0.10


def broken_bars(bars: Bars, instrument: Instrument) -> Iterator[Problem | None]:
    """Yield one problem, or None, per rule."""
    if not len(bars):
        yield Problem(
            ProblemCode.EMPTY, ProblemLevel.BLOCKED, 0, "There are no bars.", (), "Give a file that holds bars."
        )
        return
    for fault in faults(bars, instrument):
        if fault.code is ProblemCode.OHLC_VIOLATION:
            continue  # fails the bar's session alone: see `quality_failed`
        yield _blocked(bars, fault.wrong, fault.code, f"have {fault.what}")
    step, same = np.diff(bars.ts), np.diff(bars.contract)
    backwards = (step < 0) | ((step == 0) & (same < 0))
    yield _blocked(bars, np.append(False, backwards), ProblemCode.UNSORTED, "come after a later bar")
    yield _blocked(bars, np.append(False, (step == 0) & (same == 0)), ProblemCode.DUPLICATED, "occur twice")
    if not backwards.any():
        yield _jumps(bars, instrument)
    yield _unnamed(bars)


def _jumps(bars: Bars, instrument: Instrument) -> Problem | None:
    order = np.lexsort((bars.ts, bars.contract))
    contract, session = bars.contract[order], session_of(instrument, bars.ts[order]).session
    comparable = (np.diff(contract) == 0) & (np.diff(session) == 0)
    closed, opened = bars.close[order][:-1], bars.open[order][1:]
    far = comparable & (np.abs(opened - closed) > JUMP * np.maximum(np.abs(closed), np.abs(opened)))
    rows = np.sort(order[1:][far])
    if not len(rows):
        return None
    return Problem(
        ProblemCode.PRICE_JUMP,
        ProblemLevel.WARN,
        len(rows),
        f"{counted(len(rows), 'bar opens', 'bars open')} more than 10 % away from the previous close, "
        f"first at {stamp(bars.ts[rows[0]])}.",
        tuple(stamp(ts) for ts in bars.ts[rows[:5]]),
        "Compare those bars with another source.",
    )


def _unnamed(bars: Bars) -> Problem | None:
    count = bars.unnamed
    if not count:
        return None
    message = f"{rolls_unseen(count)} The price change from one contract to the next counts as profit or loss."
    fix = "Export the bars with a column contract or instrument_id."
    return Problem(ProblemCode.CONTRACTS_UNNAMED, ProblemLevel.WARN, count, message, (), fix)


def _blocked(bars: Bars, wrong: NDArray[np.bool_], code: ProblemCode, what: str) -> Problem | None:
    rows: IntArray = np.flatnonzero(wrong)
    if not len(rows):
        return None
    first = stamp(bars.ts[rows[0]])
    message = f"{len(rows)} of {len(bars)} bars {what}, first bar {rows[0] + 1} at {first}."
    examples = tuple(stamp(ts) for ts in bars.ts[rows[:5]])
    return Problem(code, ProblemLevel.BLOCKED, len(rows), message, examples, EXPORT_AGAIN)
