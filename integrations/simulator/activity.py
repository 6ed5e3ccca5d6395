"""Volatility of each minute of a month, fixed before any price is drawn, so that it predicts no direction.

Integers only. Only ratios matter: the month's steps are shared out in proportion.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from integrations.simulator.draws import Purpose, below, words
from integrations.simulator.walk import urn
from trading.bars.schema import IntArray
from trading.bars.span import Span
from trading.instruments import Instrument
from trading.sessions import DAY_NS, MINUTE_NS, expected_minutes, globex_minute, session_of

# Standard deviation by the minute of the day in Chicago, 20 on average: peaks at the cash open and close, low at night.
_TIME_OF_DAY: Final = (
    (0, 12), (400, 12), (430, 22), (490, 24), (510, 48), (540, 38), (600, 26), (720, 22), (850, 24), (895, 38),
    (930, 24), (960, 20), (1020, 14), (1080, 12), (1440, 12),
)  # fmt: skip
_THIN: Final = 4  # divided by the square of the above: the share of minutes without a trade
_DAY_BALLS: Final = 20
_HOUR_BALLS: Final = 384
_HOUR_LIMIT: Final = 40
_BURSTS: Final = np.array([2, 3, 4, 5, 6, 8, 12, 24], np.int64)  # factors of single minutes: fat tails
_MEAN_BURST: Final = 8
_SCALE_BITS: Final = 18  # dropped from the products, so that a month's sum times its steps fits 63 bits
_CLOSED: Final = 4  # a closed minute has a quarter of the variance of an open one
_LONGEST_CLOSURE_NS: Final = 10 * DAY_NS


@dataclass(frozen=True, slots=True, eq=False)
class MinuteActivity:
    """The T minutes of a month in which something trades; variances in arbitrary units.

    minutes: int64[T], opens, ns UTC. session: int64[T], trading day, days since 1970. weight: int64[T], variance of
    the minute, above 0. closure: int64[T], variance of the closed time before it, 0 inside a session.
    """

    minutes: IntArray
    session: IntArray
    weight: IntArray
    closure: IntArray


def activity_of(instrument: Instrument, month: str, seed: int, span: Span) -> MinuteActivity:
    """Return the activity of a month. span: of the month."""
    before = expected_minutes(instrument, span.start_ns - _LONGEST_CLOSURE_NS, span.start_ns)[-1:]
    minutes = expected_minutes(instrument, span.start_ns, span.end_ns)
    closed = np.cumsum(np.diff(minutes, prepend=before) // MINUTE_NS - 1)
    deviation = _time_of_day()[globex_minute(minutes)]
    variance = deviation * deviation
    drawn = below(words(Purpose.THIN, instrument, month, seed, len(minutes)), 1 << 31)
    traded = np.flatnonzero(drawn * variance >= _THIN << 31)
    minutes, closed = minutes[traded], np.diff(closed[traded], prepend=0)
    session = session_of(instrument, minutes).session
    usual = variance[traded] * _day_factor(instrument, month, seed, session)
    usual *= _hour_factor(instrument, month, seed, len(minutes))
    bursts = _BURSTS[below(words(Purpose.BURSTS, instrument, month, seed, len(minutes)), len(_BURSTS))]
    weight = np.maximum(usual * bursts >> _SCALE_BITS, 1)
    return MinuteActivity(minutes, session, weight, closed * (usual * _MEAN_BURST >> _SCALE_BITS) // _CLOSED)


def _day_factor(instrument: Instrument, month: str, seed: int, session: IntArray) -> IntArray:
    """Return each minute's factor by its day: volatility persists for days."""
    days, day_of_row = np.unique(session, return_inverse=True)
    drawn = words(Purpose.DAYS, instrument, month, seed, len(days) + 1)
    first = (int(drawn[0]) & ((1 << _DAY_BALLS) - 1)).bit_count()
    return _powers(13, 10, _DAY_BALLS)[urn(below(drawn[1:], _DAY_BALLS), first)][day_of_row]


def _hour_factor(instrument: Instrument, month: str, seed: int, size: int) -> IntArray:
    """Return each minute's own factor: volatility persists for hours."""
    whole = _HOUR_BALLS // 64
    drawn = words(Purpose.HOURS, instrument, month, seed, size + whole)
    first = int(np.bitwise_count(drawn[:whole]).sum(dtype=np.int64))
    away = urn(below(drawn[whole:], _HOUR_BALLS), first) - _HOUR_BALLS // 2
    return _powers(13, 12, 2 * _HOUR_LIMIT)[np.clip(away, -_HOUR_LIMIT, _HOUR_LIMIT) + _HOUR_LIMIT]


def _powers(numerator: int, denominator: int, count: int) -> IntArray:
    """Return int64[count + 1]: 64 times the powers of a ratio, from the 0th on, rounded down at each step."""
    found = [64]
    for _ in range(count):
        found.append(found[-1] * numerator // denominator)
    return np.array(found, np.int64)


def _time_of_day() -> IntArray:
    """Return int64[1440], the standard deviation of each minute of the day: straight lines between the points."""
    found: list[int] = []
    for (start, low), (end, high) in pairwise(_TIME_OF_DAY):
        found += [low + (high - low) * (minute - start) // (end - start) for minute in range(start, end)]
    return np.array(found, np.int64)
