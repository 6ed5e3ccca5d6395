"""Which of a symbol's bars its bots are graded on: the real ones, once there are enough, else the simulated ones."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

MIN_SESSIONS: Final = 20


class MonthInUse(NamedTuple):
    """One symbol-month in use.

    last_at: open of its last bar. sessions: trading days in which anything traded, those left out not counted. aside:
    sessions that are left out (YYYY-MM-DD).
    """

    month: str
    content_hash: str
    last_at: datetime
    simulated: bool
    sessions: int
    aside: tuple[str, ...] = ()

    @property
    def read(self) -> str:
        """Names what is read of it."""
        return ":".join((self.month, self.content_hash, *self.aside))


def real_sessions(months: Iterable[MonthInUse]) -> int:
    """Return how many sessions of real bars there are."""
    return sum(month.sessions for month in months if not month.simulated)


def grades_on_real(months: Iterable[MonthInUse], min_sessions: int) -> bool:
    """Whether bots are graded on the real bars. months: all of the symbol's that are in use.

    Real bars of fewer sessions wait, so that two days of them don't replace a year of simulated ones; where there are
    no simulated ones, they are all there is.
    """
    known = tuple(months)
    labels = {month.simulated for month in known}
    return labels == {False} or (len(labels) > 1 and real_sessions(known) >= min_sessions)
