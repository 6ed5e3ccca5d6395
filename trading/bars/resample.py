"""Longer bars from one-minute bars: by session and per contract, never across a session's end."""

from dataclasses import replace

import numpy as np

from trading.bars.schema import NS_PER_SECOND, Bars, IntArray, Timeframe
from trading.instruments import Instrument
from trading.sessions import session_of


def resample(bars: Bars, timeframe: Timeframe, instrument: Instrument) -> Bars:
    """Return bars of that timeframe, stamped at their open, counted from the session's open.

    A daily bar is one session, stamped at the session's open. Minutes without a bar add nothing; a bar of the
    result has at least one bar in it. The last bar of a session may be shorter than the timeframe.
    """
    if timeframe is bars.timeframe or not len(bars):
        return replace(bars, timeframe=timeframe)
    order = np.lexsort((bars.ts, bars.contract))
    by_contract = bars.take(order)
    opens_at = _bucket(by_contract.ts, timeframe, instrument)
    changed = (np.diff(opens_at) != 0) | (np.diff(by_contract.contract) != 0)
    first = np.concatenate(([0], np.flatnonzero(changed) + 1))
    last = np.append(first[1:], len(bars)) - 1
    merged = Bars(
        bars.symbol,
        timeframe,
        opens_at[first],
        by_contract.open[first],
        np.maximum.reduceat(by_contract.high, first),
        np.minimum.reduceat(by_contract.low, first),
        by_contract.close[last],
        np.add.reduceat(by_contract.volume, first),
        by_contract.contract[first],
        bars.contracts,
    )
    return merged.take(np.lexsort((merged.contract, merged.ts)))


def _bucket(ts: IntArray, timeframe: Timeframe, instrument: Instrument) -> IntArray:
    session_open = session_of(instrument, ts).session_open
    if timeframe is Timeframe.D1:
        return session_open
    step = timeframe.seconds * NS_PER_SECOND
    return session_open + (ts - session_open) // step * step
