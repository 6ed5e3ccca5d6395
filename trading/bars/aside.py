"""Sessions that are put aside: kept in a month's file, left out of what a backtest reads."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from trading.bars.months import with_used_contracts
from trading.bars.schema import Bars
from trading.instruments import Instrument
from trading.sessions import session_of


def sessions_aside(quality_report: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the days (YYYY-MM-DD) that a stored quality report puts aside; none in one that knows no such thing."""
    return tuple(str(one["session"]) for one in quality_report.get("sessions_aside", ()))


def without_sessions(bars: Bars, instrument: Instrument, days: Collection[str]) -> Bars:
    """Return the bars but those of some sessions (YYYY-MM-DD): the same object where there are none."""
    if not days:
        return bars
    numbers = np.array(sorted(days), "datetime64[D]").astype(np.int64)
    left = ~np.isin(session_of(instrument, bars.ts).session, numbers)
    return bars if left.all() else with_used_contracts(bars.take(left))
