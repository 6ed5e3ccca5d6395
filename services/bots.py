"""Bots: make one. Reading them is `services.reads`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class NewBot:
    """What a person asks for.

    costs: any of slippage_ticks (int), commission_usd (decimal text), contracts (int); the rest are the
    instrument's defaults. window_start, window_end: months "YYYY-MM" graded on, inclusive; None = all there is.
    """

    name: str
    symbol: str
    strategy: str
    timeframe: str = "1m"
    params: Mapping[str, object] = field(default_factory=dict)
    costs: Mapping[str, object] = field(default_factory=dict)
    window_start: str | None = None
    window_end: str | None = None


def create(session: Session, new: NewBot, *, actor: str, now: datetime) -> UUID:
    """Create a bot in LAB, promoted by hand only, with its first version; return its id (a unit: the caller commits).

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol, timeframe, strategy or parameter, or one out of
            bounds; CONFLICT for a name that an active bot has.

    """
    raise NotImplementedError
