"""Simulated one-minute bars of one instrument and month.

A seeded random walk with what makes futures bars awkward: volatility that clusters over days and within them, busy
opens and closes, gaps between sessions and over weekends, thin minutes without a trade, and rolls to the next contract
at another price. The same (symbol, month, seed) gives the same bars on every machine. Months of one seed fit together:
each begins where the month before it ended, as both ends of a month are drawn from the month's own seed.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from integrations.simulator.contracts import date_of, front_on
from integrations.span import span_of
from trading.bars.contracts import in_order
from trading.bars.schema import NS_PER_SECOND, Bars, FloatArray, IntArray, Timeframe
from trading.bars.ticks import from_ticks
from trading.instruments import Instrument
from trading.months import plus
from trading.sessions import expected_minutes, globex_minute, session_of

SIMULATOR_VERSION: Final = 1
_PRICES: Final = {
    "ES": 5000, "NQ": 17500, "YM": 39000, "RTY": 2050, "MES": 5000, "MNQ": 17500, "MYM": 39000, "M2K": 2050,
    "CL": 78, "MCL": 78, "GC": 2100, "MGC": 2100, "SI": 25, "6E": 1.09, "ZN": 110,
}  # fmt: skip
_ANNUAL_VOLATILITY: Final = {"CL": 0.35, "MCL": 0.35, "SI": 0.28, "GC": 0.15, "MGC": 0.15, "6E": 0.08, "ZN": 0.07}
_USUAL_VOLATILITY: Final = 0.18
_MINUTES_A_YEAR: Final = 252 * 1380
_MONTHS_A_YEAR: Final = 12
_ROLL_SPREAD: Final = 0.004
_STEPS: Final = 8  # trades within a minute from which high and low are taken


def simulate_month(instrument: Instrument, month: str, seed: int) -> Bars:
    """Return the month's bars, continuous, one contract at a time, on the tick grid, volume above zero.

    month: "YYYY-MM", UTC, like every catalogued month. seed: any integer from 0.

    Raises:
        GantryError: VALIDATION_FAILED for a malformed month.

    """
    span = span_of(month)
    rng = np.random.default_rng(_seed_of(instrument, month, seed))
    minutes = expected_minutes(instrument, span.start_ns, span.end_ns)
    session = session_of(instrument, minutes).session
    traded = _traded(rng, minutes)
    minutes, session = minutes[traded], session[traded]
    level = _level(
        rng, instrument, minutes, session, (_anchor(instrument, month, seed), _next(instrument, month, seed))
    )
    contract_of_session = {day: front_on(instrument, date_of(int(day))) for day in np.unique(session)}
    fronts = sorted(set(contract_of_session.values()), key=lambda front: front.number)
    names = in_order([front.name(instrument.symbol) for front in fronts])
    number = {front: names.index(front.name(instrument.symbol)) for front in fronts}
    codes = np.array([number[contract_of_session[day]] for day in session], np.int32)
    offsets = np.array([_carry(front.number, seed) for front in fronts])[codes]
    return _bars(rng, instrument, minutes, level + offsets, codes, names)


def _bars(
    rng: np.random.Generator,
    instrument: Instrument,
    minutes: IntArray,
    level: FloatArray,
    codes: NDArray[np.int32],
    names: tuple[str, ...],
) -> Bars:
    """Turn the log price at each minute's end into bars in whole ticks."""
    tick = float(instrument.tick_size)
    closes = np.exp(level)
    breaks = np.concatenate(([True], np.diff(minutes) > 60 * NS_PER_SECOND))
    previous = np.concatenate((closes[:1], closes[:-1]))
    fresh = breaks | np.concatenate(([True], np.diff(codes) != 0))
    previous[fresh] = closes[fresh]
    width = np.abs(closes - previous) / tick + rng.exponential(1.5, len(closes))
    path = rng.normal(0, 1, (_STEPS, len(closes))).cumsum(axis=0) / np.sqrt(_STEPS)
    path -= np.linspace(1 / _STEPS, 1, _STEPS)[:, None] * path[-1]
    inside = previous + np.linspace(1 / _STEPS, 1, _STEPS)[:, None] * (closes - previous) + path * width * tick
    opened = np.rint((previous + rng.integers(-1, 2, len(closes)) * tick) / tick).astype(np.int64)
    closed = np.rint(closes / tick).astype(np.int64)
    high = np.maximum(np.maximum(opened, closed), np.rint(inside.max(axis=0) / tick).astype(np.int64))
    low = np.minimum(np.minimum(opened, closed), np.rint(inside.min(axis=0) / tick).astype(np.int64))
    busy = 1 + (high - low) * rng.gamma(2.0, 20.0, len(closes))
    return Bars(
        instrument.symbol,
        Timeframe.M1,
        minutes,
        from_ticks(opened, instrument),
        from_ticks(high, instrument),
        from_ticks(low, instrument),
        from_ticks(closed, instrument),
        busy.astype(np.int64) + 1,
        codes,
        names,
    )


def _level(
    rng: np.random.Generator,
    instrument: Instrument,
    minutes: IntArray,
    session: IntArray,
    ends: tuple[float, float],
) -> FloatArray:
    """Log price at each minute's end: a bridge from the month's start to the next one's, in clustered steps."""
    yearly = _yearly(instrument)
    of_day = _clustered(rng, len(np.unique(session)))[np.unique(session, return_inverse=True)[1]]
    within = np.exp(_autoregressive(rng, len(minutes), 0.995, 0.04))
    sigma = yearly / np.sqrt(_MINUTES_A_YEAR) * of_day * within * _time_of_day(minutes)
    steps = rng.standard_t(5, len(minutes)) / np.sqrt(5 / 3) * sigma
    opens = np.flatnonzero(np.diff(session)) + 1
    closed_minutes = np.diff(minutes)[opens - 1] // (60 * NS_PER_SECOND)
    # What happened while nobody could trade: half of what as many open minutes would have done.
    steps[opens] += rng.normal(0, 0.5, len(opens)) * sigma[opens] * np.sqrt(closed_minutes)
    walk = steps.cumsum()
    variance = (sigma**2).cumsum()
    start, end = ends
    level: FloatArray = start + walk + (end - start - walk[-1]) * variance / variance[-1]
    return level


def _clustered(rng: np.random.Generator, days: int) -> FloatArray:
    """Volatility of each day relative to the usual, 1 on average, staying high or low for days."""
    scale: FloatArray = np.exp(_autoregressive(rng, days, 0.9, 0.2))
    scale /= scale.mean()
    return scale


def _autoregressive(rng: np.random.Generator, length: int, keep: float, step: float) -> FloatArray:
    """Return an AR(1) series of that length around zero."""
    noise = rng.normal(0, step, length)
    series = np.empty(length)
    value = 0.0
    for index in range(length):
        value = keep * value + noise[index]
        series[index] = value
    return series


def _time_of_day(minutes: IntArray) -> FloatArray:
    """Activity by the minute in Chicago: high at the cash open and close, low in the Asian night; mean near 1."""
    clock = globex_minute(minutes)
    peak = np.exp(-(((clock - 510) / 45.0) ** 2)) + 0.7 * np.exp(-(((clock - 895) / 40.0) ** 2))
    day = ((clock >= 420) & (clock < 960)) * 0.5
    shape: FloatArray = 0.6 + day + 1.3 * peak
    return shape


def _traded(rng: np.random.Generator, minutes: IntArray) -> NDArray[np.bool_]:
    """Leave out a few minutes of the night in which nothing traded."""
    return rng.random(len(minutes)) > 0.01 / _time_of_day(minutes) ** 2


def _anchor(instrument: Instrument, month: str, seed: int) -> float:
    """Log price at the month's first moment, the same for the month before, whose end it is.

    Drawn around the instrument's price so widely that two of them differ by a month's volatility.
    """
    rng = np.random.default_rng([*_seed_of(instrument, month, seed), 1])
    spread = _yearly(instrument) / np.sqrt(2 * _MONTHS_A_YEAR)
    return float(np.log(_PRICES[instrument.symbol]) + rng.normal(0, spread))


def _yearly(instrument: Instrument) -> float:
    return _ANNUAL_VOLATILITY.get(instrument.symbol, _USUAL_VOLATILITY)


def _next(instrument: Instrument, month: str, seed: int) -> float:
    return _anchor(instrument, plus(month, 1), seed)


def _carry(number: int, seed: int) -> float:
    """Log distance of a contract's price from the series' level."""
    return float(np.random.default_rng([seed, number, 2]).normal(0, _ROLL_SPREAD))


def _seed_of(instrument: Instrument, month: str, seed: int) -> list[int]:
    return [SIMULATOR_VERSION, seed, int(month.replace("-", "")), *instrument.symbol.encode()]
