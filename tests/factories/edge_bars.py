"""A month of ES bars, one for each minute of the calendar: without any edge, or with one that is known."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Final

import numpy as np

from fleet.closed_sets import DataLabel
from integrations.store import BarsStore
from services.bars.simulate import no_progress
from services.bars.write import Incoming, Source, store_months
from sql.engine import Transactions
from tests.factories.bars import bars_at
from tests.factories.bars_months import MONTH
from trading.bars.months import split_months
from trading.bars.schema import Bars, IntArray
from trading.bars.span import span_of
from trading.instruments import get_instrument
from trading.sessions import expected_minutes

TICK: Final = 0.25
STEPS_A_BAR: Final = 12


@cache
def noise(seed: int = 1) -> Bars:
    """Return a walk of fair single ticks, a dozen a bar: no rule can know the next move."""
    base = _calendar()
    rng = np.random.default_rng(seed)
    moves = rng.choice(np.array([-1, 1]), (len(base.ts), STEPS_A_BAR))
    prices = 20_000 + np.cumsum(moves).reshape(moves.shape)
    close = prices[:, -1]
    opened = np.concatenate((close[:1], close[:-1]))
    return _with(base, opened, np.maximum(opened, prices.max(axis=1)), np.minimum(opened, prices.min(axis=1)), close)


@cache
def swinging(seed: int = 1, *, swing: float = 14.0) -> Bars:
    """Return a walk under a swing that comes back about every 40 bars: fading it over some 60 bars pays."""
    base = _calendar()
    rng = np.random.default_rng(seed)
    size = len(base.ts)
    pull, drawn = np.exp(-1 / 40), rng.standard_normal(size)
    away = np.empty(size)
    level = 0.0
    for i in range(size):
        level = pull * level + np.sqrt(1 - pull * pull) * float(drawn[i])
        away[i] = level
    drift = np.cumsum(rng.integers(-1, 2, size)) * 0.3
    close = 20_000 + np.rint(drift + swing * away).astype(np.int64)
    opened = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opened, close) + rng.integers(0, 3, size)
    low = np.minimum(opened, close) - rng.integers(0, 3, size)
    return _with(base, opened, high, low, close)


def put_in_use(tx: Transactions, store: BarsStore, bars: Bars, *, now: datetime) -> None:
    """Store a month of bars as an import."""
    (part,) = split_months(bars)
    incoming = Incoming(get_instrument("ES"), part, Source("files", DataLabel.IMPORTED, "made", None, {}))
    store_months(tx, store, [incoming], replace=True, actor="test", now=now, progress=no_progress)


@cache
def _calendar() -> Bars:
    span = span_of(MONTH)
    return bars_at(expected_minutes(get_instrument("ES"), span.start_ns, span.end_ns))


def _with(base: Bars, opened: IntArray, high: IntArray, low: IntArray, close: IntArray) -> Bars:
    prices = {"open": opened, "high": high, "low": low, "close": close}
    return replace(base, **{name: np.ascontiguousarray(ticks * TICK) for name, ticks in prices.items()})  # type: ignore[arg-type]
