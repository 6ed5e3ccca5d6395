"""Loops: each notes every round it went, so that one that stopped is seen by those that still go, and by people."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.errors import GantryError
from core.log import get_logger
from fleet.loops import LoopState
from sql.engine import Transactions
from sql.queries.planner import loops as queries
from sql.queries.planner.loops import LoopAge

MAX_MESSAGE: Final = 500  # characters
LATE_AFTER: Final = 3.0  # rounds, and what the daemon's own loop and a busy machine add
SLACK_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class LoopHealth:
    """A loop as it stands. age_s: since its last round; took_s, message, error: of that round."""

    loop: str
    every_s: float
    health: LoopState
    last_tick_at: datetime | None
    age_s: float | None
    took_s: float | None
    message: str | None
    error: str | None


class Round:
    """What one round reports."""

    def __init__(self) -> None:
        self.message = ""


@contextmanager
def round_of(tx: Transactions, loop: str, *, every_s: float) -> Iterator[Round]:
    """Note a round of a loop as it ends, well or not; an error goes on to the caller."""
    began, this = time.monotonic(), Round()
    try:
        yield this
    except Exception as error:
        _note(tx, loop, every_s, began, this.message, _reported(error))
        raise
    _note(tx, loop, every_s, began, this.message, None)


def health_of(ages: Sequence[LoopAge], expected: dict[str, float]) -> tuple[LoopHealth, ...]:
    """Return the health of every loop that should go round, in the order given; expected: seconds between rounds."""
    seen = {age.loop: age for age in ages}
    return tuple(_health(loop, every_s, seen.get(loop)) for loop, every_s in expected.items())


def late_after_s(every_s: float) -> float:
    """Return how long after its last round a loop that is due every so often counts as stopped, seconds."""
    return LATE_AFTER * every_s + SLACK_S


def _reported(error: Exception) -> str:
    """Return what any reader may see of an error; a library's text may hold values, so it goes to the log only."""
    if isinstance(error, GantryError):
        return f"{error.code}: {error.message}"
    get_logger("loops").error("round_failed", exc_info=error)
    return f"{type(error).__name__}; the daemon's log has the rest."


def _health(loop: str, every_s: float, age: LoopAge | None) -> LoopHealth:
    if age is None:
        return LoopHealth(loop, every_s, LoopState.NEVER, None, None, None, None, None)
    stopped = age.age_s > late_after_s(every_s)
    health = LoopState.STOPPED if stopped else LoopState.FAILING if age.error is not None else LoopState.OK
    return LoopHealth(loop, every_s, health, age.ticked_at, age.age_s, age.took_s, age.message, age.error)


def _note(tx: Transactions, loop: str, every_s: float, began: float, message: str, error: str | None) -> None:
    took_s = time.monotonic() - began
    try:
        with tx() as session:
            queries.note(
                session,
                loop,
                every_s=every_s,
                took_s=took_s,
                message=message[:MAX_MESSAGE],
                error=error[:MAX_MESSAGE].replace("\0", "?") if error else None,
            )
    except Exception:  # noqa: BLE001 - the loop's work is done: what is missing is its mark, which shows by itself
        get_logger("loops").warning("round_not_noted", loop=loop, exc_info=True)
