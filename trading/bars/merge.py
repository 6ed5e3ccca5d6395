"""New bars added to bars already there: what is equal stays once, what contradicts is refused or replaced."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ErrorCode, GantryError, Kind
from core.words import counted
from trading.bars.contracts import tells_expiry
from trading.bars.months import concatenate
from trading.bars.quality_types import stamp
from trading.bars.schema import Bars, IntArray
from trading.bars.ticks import to_ticks
from trading.instruments import Instrument


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """bars: old and new together. added: new bars at places that were free. replaced: old bars overwritten."""

    bars: Bars
    added: int
    replaced: int


def merge(old: Bars, new: Bars, instrument: Instrument, *, replace: bool = False) -> Merged:
    """Return both, each (ts, contract) once; both of one symbol and timeframe.

    replace: bars of `new` win where they differ from `old`.

    Raises:
        GantryError: CONFLICT, naming the first bar, where they differ and replace is false, or where they name
            contracts in ways that can't be compared: one by expiry, the other by instrument id or not at all.

    """
    if what := named_apart(old, new):
        raise _conflict(
            f"Bars of {new.symbol} here and the new ones don't match: {what}.",
            fix="Import the whole month from one source with --replace; the old file is kept.",
        )
    rows = _places(old, new)
    known = rows >= 0
    same = np.ones(len(new), np.bool_)
    same[known] = _equal(old.take(rows[known]), new.take(known), instrument)
    differing = np.flatnonzero(~same)
    if len(differing) and not replace:
        first = differing[0]
        raise _conflict(
            f"{counted(len(differing), f'bar of {new.symbol} differs', f'bars of {new.symbol} differ')} "
            "from those already stored, "
            f"first at {stamp(new.ts[first])}.",
            fix="Import with --replace if the new ones are right; the old file is kept.",
            bars=len(differing),
        )
    kept = np.ones(len(old), np.bool_)
    kept[rows[known]] = False
    return Merged(concatenate([old.take(kept), new]), int((~known).sum()), len(differing))


def named_apart(old: Bars, new: Bars) -> str | None:
    """Return why their contracts can't be compared, else None: one contract under two names would pass for two."""
    if ("" in old.contracts) != ("" in new.contracts):
        return "only one of them names its contracts"
    if {tells_expiry(name) for name in old.contracts}.isdisjoint(tells_expiry(name) for name in new.contracts):
        return "only one of them names its contracts by expiry"
    return None


def _places(old: Bars, new: Bars) -> IntArray:
    """Row in old of each new bar's (ts, contract name), or -1."""
    names = list(dict.fromkeys([*old.contracts, *new.contracts]))
    codes = [np.array([names.index(name) for name in bars.contracts], np.int64)[bars.contract] for bars in (old, new)]
    rows = np.full(len(new), -1, np.int64)
    for code in range(len(names)):
        there, asked = np.flatnonzero(codes[0] == code), np.flatnonzero(codes[1] == code)
        _, at_old, at_new = np.intersect1d(old.ts[there], new.ts[asked], assume_unique=True, return_indices=True)
        rows[asked[at_new]] = there[at_old]
    return rows


def _equal(left: Bars, right: Bars, instrument: Instrument) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = left.volume == right.volume
    for one, other in zip(left.ohlc(), right.ohlc(), strict=True):
        same = same & (to_ticks(one, instrument) == to_ticks(other, instrument))
    return same


def _conflict(message: str, *, fix: str, bars: int = 0) -> GantryError:
    return GantryError(ErrorCode.CONFLICT, message, fix=fix, kind=Kind.CONFLICT, facts={"bars": bars})
