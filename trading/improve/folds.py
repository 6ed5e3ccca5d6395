"""Walk-forward folds: choose on the sessions before, leave a gap, look at the sessions after.

In-sample is all sessions from the first on, so a later fold chooses with more; out-of-sample blocks are of one length,
don't overlap, and end with the last session. The gap keeps apart what both sides of it would share: a position held
over the border, and an indicator's memory.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from core.errors import data_unavailable, invalid
from core.words import counted
from trading.bars.schema import IntArray
from trading.bars.series import Window

MIN_IN_SESSIONS: Final = 10
MIN_OUT_SESSIONS: Final = 3
_OUT_SHARE: Final = 0.5  # of all sessions, over all folds


@dataclass(frozen=True, slots=True)
class Fold:
    """Positions of sessions: in-sample [0, in_end), then the gap, out-of-sample [out_start, out_end)."""

    in_end: int
    out_start: int
    out_end: int


def sessions_of(windows: tuple[Window, ...]) -> IntArray:
    """Return int64[D], the trading days (days since 1970) of these windows, each once, in order."""
    return np.unique(np.concatenate([window.session for window in windows])) if windows else np.zeros(0, np.int64)


def walk_forward(sessions: int, *, folds: int, purge_sessions: int) -> tuple[Fold, ...]:
    """Return `folds` folds over so many sessions, in order of time.

    Raises:
        GantryError: VALIDATION_FAILED for less than 1 fold or a negative gap; DATA_UNAVAILABLE for too few sessions.

    """
    if folds < 1 or purge_sessions < 0:
        raise invalid(
            f"{counted(folds, 'fold')} with a gap of {purge_sessions}.",
            fix="Use at least 1 fold and a gap of 0 or more.",
        )
    block = _block(sessions, folds)
    starts = [sessions - (folds - number) * block for number in range(folds + 1)]
    if not are_enough(sessions, folds=folds, purge_sessions=purge_sessions):
        raise data_unavailable(
            f"{counted(sessions, 'session is', 'sessions are')} too few for "
            f"{counted(folds, 'fold')} with a gap of {purge_sessions}.",
            fix="Import more bars, widen the window, or lower IMPROVE_FOLDS.",
            facts={"sessions": sessions, "folds": folds},
        )
    return tuple(Fold(start - purge_sessions, start, end) for start, end in pairwise(starts))


def are_enough(sessions: int, *, folds: int, purge_sessions: int) -> bool:
    """Whether so many sessions can be laid out in so many folds, from 1."""
    block = _block(sessions, folds)
    return block >= MIN_OUT_SESSIONS and sessions - folds * block - purge_sessions >= MIN_IN_SESSIONS


def _block(sessions: int, folds: int) -> int:
    """Return the out-of-sample sessions of each fold."""
    return int(sessions * _OUT_SHARE) // folds


def until_session(windows: tuple[Window, ...], days: IntArray, count: int) -> tuple[Window, ...]:
    """Return the windows of the first `count` of these trading days: what comes later isn't there to be read."""
    if count >= len(days):
        return windows
    kept = ((window, int(np.searchsorted(window.session, days[count]))) for window in windows)
    return tuple(window if size == len(window) else _first_bars(window, size) for window, size in kept if size)


def _first_bars(window: Window, size: int) -> Window:
    part = slice(0, size)
    return Window(
        window.bars.take(part),
        window.open_ticks[part],
        window.high_ticks[part],
        window.low_ticks[part],
        window.close_ticks[part],
        window.adjustment_ticks[part],
        window.session[part],
        window.session_last[part],
        tuple(roll for roll in window.rolls if roll.index < size),
    )
