"""Holes in a series: sessions of the calendar without any bar, between two that have some."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trading.bars.schema import Bars
from trading.instruments import Instrument
from trading.sessions import session_of, sessions_between


@dataclass(frozen=True, slots=True)
class Hole:
    """Sessions in a row without a bar. first, last: their trading days, YYYY-MM-DD."""

    first: str
    last: str
    sessions: int

    def __str__(self) -> str:
        if self.sessions == 1:
            return f"the session of {self.first}"
        return f"{self.sessions:,} sessions from {self.first} to {self.last}"


def holes_of(bars: Bars, instrument: Instrument) -> tuple[Hole, ...]:
    """Return the holes between the first and the last of some sorted bars, in order of time."""
    return holes_between(instrument, np.unique(session_of(instrument, bars.ts).session).tolist())


def holes_between(instrument: Instrument, days: Sequence[int]) -> tuple[Hole, ...]:
    """Return the holes between trading days that have bars, days since 1970, increasing."""
    found = []
    for before, after in pairwise(days):
        missing = sessions_between(instrument, before + 1, after - 1)
        if len(missing):
            found.append(Hole(_date(int(missing[0])), _date(int(missing[-1])), len(missing)))
    return tuple(found)


def _date(day: int) -> str:
    return str(np.datetime64(day, "D"))
