"""What to know of a series of bars before a result on it is believed: a sentence each."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from core.words import counted
from fleet.grading_bars import MonthInUse, grades_on_real, real_sessions
from sql.engine import Transactions
from sql.queries.bars import catalogue as queries
from trading.bars.holes import Hole, holes_of
from trading.bars.schema import Bars
from trading.instruments import Instrument
from trading.sessions import session_of

_HOLES_NAMED: Final = 3


def caveats_of(bars: Bars, instrument: Instrument, min_sessions: int) -> Iterator[str]:
    """Yield what a backtest of these bars must say beside its quality and checks. min_sessions: fewer prove little."""
    if holes := holes_of(bars, instrument):
        yield in_holes(holes)
    sessions = len(np.unique(session_of(instrument, bars.ts).session))
    if sessions < min_sessions:
        yield few_sessions(bars.symbol, sessions, min_sessions)


def in_holes(holes: Sequence[Hole]) -> str:
    """Name the holes of a series, at least one, up to three of them, and say what ends there."""
    named = ", ".join(map(str, holes[:_HOLES_NAMED]))
    more = f" and {len(holes) - _HOLES_NAMED} more" if len(holes) > _HOLES_NAMED else ""
    return f"Holes in the bars: {named}{more}. No position and no indicator lives through a hole."


def few_sessions(symbol: str, sessions: int, min_sessions: int) -> str:
    """Say that bars are used although there are few of them."""
    return (
        f"{symbol} has {counted(sessions, 'session')} of bars: results on fewer than {min_sessions} "
        "(MIN_SESSIONS_FOR_GRADING) prove little."
    )


def used_though_few(tx: Transactions, symbol: str, min_sessions: int) -> str | None:
    """Say that a symbol's real bars in use are used although there are few; None for enough of them (a flow)."""
    sessions = real_sessions(_months(tx, symbol))
    return few_sessions(symbol, sessions, min_sessions) if sessions < min_sessions else None


def graded_on(tx: Transactions, symbol: str, min_sessions: int) -> str | None:
    """Say what bots of a symbol are graded on while it has few real bars; None once it has enough (a flow)."""
    months = _months(tx, symbol)
    real = real_sessions(months)
    if real >= min_sessions:
        return None
    if grades_on_real(months, min_sessions):
        return few_sessions(symbol, real, min_sessions)
    return (
        f"{symbol} has {counted(real, 'session')} of real bars: its bots are graded on simulated ones "
        f"until there are {min_sessions} (MIN_SESSIONS_FOR_GRADING)."
    )


def _months(tx: Transactions, symbol: str) -> Sequence[MonthInUse]:
    with tx() as session:
        return queries.months_in_use(session, symbol=symbol).get(symbol, ())
