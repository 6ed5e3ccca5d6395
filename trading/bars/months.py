"""Bars by calendar month (UTC), as they are catalogued, and months put together again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trading.bars.contracts import in_order
from trading.bars.schema import Bars


@dataclass(frozen=True, slots=True, eq=False)
class BarsOfMonth:
    """month: YYYY-MM, UTC, of every bar's open. bars: with the contracts that occur in it only."""

    month: str
    bars: Bars


def split_months(bars: Bars) -> tuple[BarsOfMonth, ...]:
    """Return the bars by month, in order; none for no bars."""
    month = bars.ts.astype("datetime64[ns]").astype("datetime64[M]")
    starts = np.flatnonzero(np.diff(month.astype(np.int64), prepend=np.int64(-(10**9))))
    ends = [*starts[1:].tolist(), len(bars)]
    return tuple(
        BarsOfMonth(str(month[start]), with_used_contracts(bars.take(slice(start, end))))
        for start, end in zip(starts.tolist(), ends, strict=True)
    )


def with_used_contracts(bars: Bars) -> Bars:
    """Return the same bars with only those contracts listed that occur in them."""
    used, position = np.unique(bars.contract, return_inverse=True)
    names = tuple(bars.contracts[number] for number in used.tolist())
    return replace(bars, contract=position.astype(np.int32), contracts=names)


def concatenate(parts: Sequence[Bars]) -> Bars:
    """Return all parts as one, sorted by (ts, contract), contracts in order of expiry.

    At least one part; all of one symbol and timeframe, no (ts, contract) twice.
    """
    names = in_order([name for part in parts for name in part.contracts])
    number = {name: position for position, name in enumerate(names)}
    numbered = [np.array([number[name] for name in part.contracts], np.int32)[part.contract] for part in parts]
    joined = Bars(
        parts[0].symbol,
        parts[0].timeframe,
        np.concatenate([part.ts for part in parts]),
        np.concatenate([part.open for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.close for part in parts]),
        np.concatenate([part.volume for part in parts]),
        np.concatenate(numbered),
        names,
    )
    return in_order_of_time(joined)


def with_contracts_listed(bars: Bars, names: Sequence[str]) -> Bars:
    """Return the same bars with their contracts in the order of `names`, which has each of them; sorted so."""
    if bars.contracts == tuple(names):
        return bars
    place = np.array([names.index(name) for name in bars.contracts], np.int32)
    return in_order_of_time(replace(bars, contract=place[bars.contract], contracts=tuple(names)))


def in_order_of_time(bars: Bars) -> Bars:
    """Return the bars sorted by (ts, contract): the same object where they are."""
    return bars if _sorted(bars) else bars.take(np.lexsort((bars.contract, bars.ts)))


def _sorted(bars: Bars) -> bool:
    if bool((bars.ts[1:] > bars.ts[:-1]).all()):
        return True
    step = np.diff(bars.ts)
    return bool(((step > 0) | ((step == 0) & (np.diff(bars.contract) > 0))).all())
