"""The mark each sensor leaves on each run, so that a stopped one is noticed."""

from contextlib import AbstractContextManager
from typing import Final

from assets.domain import Domain
from core.settings import get_settings
from fleet.loops import loops
from services.planner.loops import Round, round_of

LOOPS: Final = loops(get_settings().planner_tick_seconds)


def noted(domain: Domain, loop: str) -> AbstractContextManager[Round]:
    """Record a run of this loop as the block ends."""
    return round_of(domain.tx, loop, every_s=LOOPS[loop])
