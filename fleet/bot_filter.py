"""Which bots a list holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BotFilter:
    """Which bots a list holds; archived ones never. None: any."""

    stage: str | None = None
    symbol: str | None = None
