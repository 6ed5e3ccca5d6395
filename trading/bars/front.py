"""From bars to the windows a backtest runs on: the front contract at each time, and the rolls between contracts.

Bars of several expiries: the front at a window's start is the most traded contract of its first session. It
rolls in the first session after one in which a later expiry traded more, to the most traded later expiry of
that session, at the first bar that both contracts have. Where the front has no bar in a session of which
others have some, and no such common bar came before, the window ends and a new one starts: nothing is bridged.

Bars of one contract at a time (continuous series): the roll is the first bar of the new contract, the old one
is closed at its last close. Where one of them has no name, or only one is named by its expiry (the other by an id:
they may be one contract), it is a new window instead.

A session of the calendar without any bar always ends the window: no position, bracket or indicator lives through a
hole. Weekends and holidays aren't sessions, so they end nothing.

Bars in which nothing traded (volume 0) are left out, as nothing can be filled in them; a source that never
states volume keeps them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.bars.contracts import tells_expiry
from trading.bars.schema import NS_PER_SECOND, Bars, IntArray, Timeframe
from trading.bars.series import Roll, Window
from trading.bars.ticks import to_ticks
from trading.instruments import Instrument
from trading.sessions import SessionIndex, holes_after, session_of


@dataclass(frozen=True, slots=True, eq=False)
class _Leg:
    """Rows of one contract; old_exit_ticks: price at which the leg before is closed, where this one is a roll."""

    rows: IntArray
    contract: int
    old_exit_ticks: int | None = None


class _Ticks(NamedTuple):
    """Prices of all rows in ticks, int64[T] each."""

    open: IntArray
    high: IntArray
    low: IntArray
    close: IntArray


@dataclass(slots=True, eq=False)
class _Walk:
    """The legs of the window being made, its front and the contract to roll to."""

    front: int
    target: int | None = None
    legs: list[_Leg] = field(default_factory=list)


def windows(bars: Bars, instrument: Instrument) -> tuple[Window, ...]:
    """Return the windows of these bars in order of time; none for no bars.

    A decision may depend on a window's earlier bars only: cutting the bars after a session changes nothing in
    the sessions before it.
    """
    bars = _traded(bars)
    if not len(bars):
        return ()
    index = session_of(instrument, bars.ts)
    ticks = _Ticks(*(to_ticks(prices, instrument) for prices in bars.ohlc()))
    make_legs = _per_expiry if bars.per_expiry else _continuous
    legs = make_legs(bars, ticks, index.session, instrument)
    last_open = _last_open(index, bars.timeframe)
    return tuple(_window(bars, ticks, index.session, last_open, window) for window in legs)


def _traded(bars: Bars) -> Bars:
    traded = bars.volume > 0
    return bars if traded.all() or not traded.any() else bars.take(traded)


def _last_open(index: SessionIndex, timeframe: Timeframe) -> IntArray:
    """Open of the last bar of that timeframe the calendar allows in each bar's session."""
    if timeframe is Timeframe.D1:
        return index.session_open
    step = timeframe.seconds * NS_PER_SECOND
    return index.session_open + (index.session_last - index.session_open) // step * step


def _continuous(bars: Bars, ticks: _Ticks, session: IntArray, instrument: Instrument) -> Iterator[list[_Leg]]:
    holes = _after_a_hole(session, instrument)
    starts = np.flatnonzero((np.diff(bars.contract, prepend=np.int32(-1)) != 0) | holes)
    legs: list[_Leg] = []
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(bars)], strict=True):
        rows = np.arange(start, end)
        contract = int(bars.contract[start])
        if legs and not holes[start] and _rollable(bars, start):
            legs.append(_Leg(rows, contract, int(ticks.close[start - 1])))
            continue
        if legs:
            yield legs
        legs = [_Leg(rows, contract)]
    yield legs


def _after_a_hole(session: IntArray, instrument: Instrument) -> NDArray[np.bool_]:
    """Return bool[T]: whether a bar is the first one after a session without any."""
    first = np.flatnonzero(np.diff(session, prepend=np.int64(-1)))
    holes = np.zeros(len(session), np.bool_)
    holes[first[1:]] = holes_after(instrument, session[first])
    return holes


def _rollable(bars: Bars, start: int) -> bool:
    old, new = bars.contracts[bars.contract[start - 1]], bars.contracts[bars.contract[start]]
    return "" not in {old, new} and tells_expiry(old) == tells_expiry(new)


def _per_expiry(bars: Bars, ticks: _Ticks, session: IntArray, instrument: Instrument) -> Iterator[list[_Leg]]:
    days, day_of_row = np.unique(session, return_inverse=True)
    holes = np.append(False, holes_after(instrument, days))
    rows_of = [np.flatnonzero(bars.contract == contract) for contract in range(len(bars.contracts))]
    bounds = [np.searchsorted(day_of_row[rows], np.arange(len(days) + 1)) for rows in rows_of]
    traded = np.zeros((len(days), len(bars.contracts)), np.int64)
    np.add.at(traded, (day_of_row, bars.contract), bars.volume if bars.volume.any() else np.ones_like(bars.volume))
    walk: _Walk | None = None
    for day, volumes in enumerate(traded):
        of_day = [rows[edge[day] : edge[day + 1]] for rows, edge in zip(rows_of, bounds, strict=True)]
        if walk is None or holes[day] or not len(of_day[walk.front]):
            if walk is not None:
                yield walk.legs
            walk = _Walk(front=int(volumes.argmax()))
            walk.legs.append(_Leg(of_day[walk.front], walk.front))
        else:
            _step(walk, bars.ts, ticks, of_day)
        later = volumes[walk.front + 1 :]
        if len(later) and later.max() > volumes[walk.front]:
            walk.target = walk.front + 1 + int(later.argmax())
    if walk is not None:
        yield walk.legs


def _step(walk: _Walk, ts: IntArray, ticks: _Ticks, of_day: list[IntArray]) -> None:
    """Add a session's rows: the front's, and from the roll bar on, where one is due and found, the target's."""
    old = of_day[walk.front]
    if walk.target is not None:
        new = of_day[walk.target]
        common = np.intersect1d(ts[old], ts[new], assume_unique=True)
        if len(common):
            cut = int(np.searchsorted(ts[old], common[0]))
            if cut:
                walk.legs.append(_Leg(old[:cut], walk.front))
            from_roll = new[np.searchsorted(ts[new], common[0]) :]
            walk.legs.append(_Leg(from_roll, walk.target, int(ticks.open[old[cut]])))
            walk.front, walk.target = walk.target, None
            return
    walk.legs.append(_Leg(old, walk.front))


def _window(bars: Bars, ticks: _Ticks, session: IntArray, last_open: IntArray, legs: list[_Leg]) -> Window:
    rows = np.concatenate([leg.rows for leg in legs])
    adjustment = np.zeros(len(rows), np.int64)
    rolls: list[Roll] = []
    at, before = 0, legs[0]
    for leg in legs:
        if leg.old_exit_ticks is not None:
            difference = int(ticks.open[leg.rows[0]]) - leg.old_exit_ticks
            names = bars.contracts[before.contract], bars.contracts[leg.contract]
            rolls.append(Roll(at, *names, leg.old_exit_ticks, difference))
            adjustment[at:] += difference
        before = leg
        at += len(leg.rows)
    return Window(
        bars.take(rows),
        ticks.open[rows],
        ticks.high[rows],
        ticks.low[rows],
        ticks.close[rows],
        adjustment,
        session[rows],
        last_open[rows],
        tuple(rolls),
    )
